import { nullable, repeated, required, type Table } from '../table.ts';

/** Whether a day may be pulled, and why; the last row of an entity, gate and date counts. */
export const reportAvailability: Table = {
  name: 'report_availability',
  description: 'Each time that a day was judged: complete or not, by which rule, with the proof',
  columns: [
    required('source', 'STRING', 'google_analytics or youtube'),
    required('entity_id', 'STRING', 'The property or channel'),
    required('gate', 'STRING', 'What was judged: day, or a group of metrics that is late on its own'),
    required('date', 'DATE', "The day in the entity's own zone"),
    required('verdict', 'STRING', 'waiting, available, forced or stopped'),
    required('rule', 'STRING', 'The rule that decided, such as R1_full'),
    required('proof', 'JSON', 'What was seen and what it was judged by'),
    nullable('not_before', 'TIMESTAMP', 'Before then it is not probed again'),
    required('probed_at', 'TIMESTAMP', 'When it was judged'),
    repeated('flags', 'STRING', 'What pulls of the day must carry: forced, zone_changed, ...'),
  ],
  partitionBy: 'date',
  clusterBy: ['source', 'entity_id'],
  key: ['source', 'entity_id', 'gate', 'date', 'probed_at'],
};
