import type { AdminApi } from '../admin-api.ts';
import type { WriteAnswer } from '../judge-answer.ts';
import { fieldsOf, type ResourceStep } from './plan-resources.ts';

export interface ResourceAnswer {
  readonly answer: WriteAnswer;
  /** What Google's page of the terms of service takes, where a person accepts them. */
  readonly accountTicketId?: string;
}

/** Makes the one call of a step. */
export async function callResource(
  api: AdminApi,
  step: ResourceStep,
  until: number,
): Promise<ResourceAnswer> {
  const { change } = step;
  const { fields } = fieldsOf(change);
  const updateMask = { paths: [...step.mask] };
  let ticket: string | undefined;
  const answer = await api.write(async (client, options) => {
    switch (change.op) {
      case 'provisionAccount': {
        const { redirectUri, displayName, regionCode } = change;
        const [{ accountTicketId }] = await client.provisionAccountTicket(
          { account: { displayName, regionCode }, redirectUri },
          options,
        );
        ticket = accountTicketId ?? undefined;
        return;
      }
      case 'updateAccount':
        return client.updateAccount({ account: { name: change.account, ...fields }, updateMask }, options);
      case 'deleteAccount':
        return client.deleteAccount({ name: change.account }, options);
      case 'createProperty':
        return client.createProperty({ property: { parent: change.account, ...fields } as object }, options);
      case 'updateProperty':
        return client.updateProperty(
          { property: { name: change.property, ...fields } as object, updateMask },
          options,
        );
      case 'deleteProperty':
        return client.deleteProperty({ name: change.property }, options);
      case 'createStream': {
        const { property: parent, displayName, defaultUri } = change;
        const dataStream = { type: 'WEB_DATA_STREAM' as const, displayName, webStreamData: { defaultUri } };
        return client.createDataStream({ parent, dataStream }, options);
      }
      case 'updateStream':
        return client.updateDataStream(
          { dataStream: { name: change.stream, ...fields }, updateMask },
          options,
        );
      case 'deleteStream':
        return client.deleteDataStream({ name: change.stream }, options);
    }
  }, until);
  return { answer, ...(ticket !== undefined && { accountTicketId: ticket }) };
}

/** The method of the Admin API, for the audit. */
export const methodOf = {
  provisionAccount: 'ProvisionAccountTicket',
  updateAccount: 'UpdateAccount',
  deleteAccount: 'DeleteAccount',
  createProperty: 'CreateProperty',
  updateProperty: 'UpdateProperty',
  deleteProperty: 'DeleteProperty',
  createStream: 'CreateDataStream',
  updateStream: 'UpdateDataStream',
  deleteStream: 'DeleteDataStream',
} as const satisfies Record<ResourceStep['change']['op'], string>;
