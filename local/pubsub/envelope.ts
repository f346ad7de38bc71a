import { readMessage } from './wire.ts';

/**
 * The JSON body of a push (cloud.google.com/pubsub/docs/push#receive_push): as in all JSON forms of protobuf, empty
 * fields are left out, so a message without attributes has no `attributes`. Attempt 0 is left out too.
 * @param published milliseconds since the epoch
 */
export function pushEnvelope(
  message: { id: number; published: number; bytes: Buffer },
  subscription: string,
  deliveryAttempt: number,
): string {
  const { data, attributes } = readMessage(message.bytes);
  const time = new Date(message.published).toISOString();
  let json = '{"message":{';
  for (const _ in attributes) {
    json += `"attributes":${JSON.stringify(attributes)},`;
    break;
  }
  // Built by hand: JSON.stringify would scan the base64 of every message for characters to escape.
  if (data.length > 0) json += `"data":"${data.toString('base64')}",`;
  json += `"messageId":"${message.id}","message_id":"${message.id}","publishTime":"${time}","publish_time":"${time}"}`;
  json += `,"subscription":${JSON.stringify(subscription)}`;
  if (deliveryAttempt > 0) json += `,"deliveryAttempt":${deliveryAttempt}`;
  return `${json}}`;
}
