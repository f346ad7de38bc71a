import { nullable, repeated, required, type Table } from '../table.ts';

export const accessAudit: Table = {
  name: 'access_audit',
  description:
    'Every change of access that permissions made or tried, a row before and a row after each, by user and by resource; appended only. Google keeps no such history of access bindings',
  columns: [
    required('audit_id', 'STRING', '32 hexadecimal digits; equal for every copy of one row'),
    required('occurred_at', 'TIMESTAMP', 'When the row was written'),
    required('request_id', 'STRING', 'The request, under which it is resumed too'),
    required('plan_hash', 'STRING', 'The plan that was confirmed'),
    required(
      'phase',
      'STRING',
      'intent before a call, then applied or failed; undo before a compensating call, then undone or undo_failed',
    ),
    required('step', 'INT64', 'Place of the call in the plan, from 0'),
    required('caller', 'STRING', 'Who asked for it'),
    nullable('reason', 'STRING', 'Why, in the words of the request'),
    required('account', 'STRING', 'accounts/N'),
    required('resource', 'STRING', 'What is changed: accounts/N or properties/N'),
    nullable('user_email', 'STRING', 'Whose access; NULL where an account or property itself is changed'),
    repeated('before_roles', 'STRING', 'Roles before; empty where there was no binding'),
    repeated(
      'after_roles',
      'STRING',
      'Roles that the call shall leave; empty where there shall be no binding',
    ),
    required('method', 'STRING', 'Method of the Admin API'),
    required('batch_size', 'INT64', 'Changes in the step'),
    required('attempt', 'INT64', 'Calls that the step has taken so far; 0 before the first'),
    nullable('status', 'STRING', 'What Google answered last, such as INVALID_ARGUMENT'),
    nullable('detail', 'STRING', 'The same in words'),
    nullable('latency_ms', 'INT64', 'From the row before to this one, in milliseconds'),
    nullable(
      'before_resource',
      'JSON',
      'The account, property or stream before, where that is what is changed',
    ),
    nullable('after_resource', 'JSON', 'The same after'),
    nullable('line', 'STRING', 'Line of the request that asks for it, such as changes[3]'),
  ],
  partitionBy: 'occurred_at',
  clusterBy: ['account', 'resource', 'user_email'],
  key: ['audit_id'],
};
