/** What a field holds; an object is another message. */
export type FieldType = 'string' | 'int32' | 'int64' | 'double' | 'event_type' | 'string_map' | MessageShape;

/** A message by the numbers of its fields. The names are those of the JSON that the other SDKs send. */
export type MessageShape = ReadonlyMap<number, { readonly name: string; readonly type: FieldType }>;

const shape = (fields: readonly (readonly [number, string, FieldType])[]): MessageShape =>
  new Map(fields.map(([number, name, type]) => [number, { name, type }]));

const resourceItem = shape([
  [1, 'id', 'string'],
  [2, 'key', 'string'],
  [3, 'attributes', 'string_map'],
]);

/** EventV3Dto, as the .proto files of the Go and Java SDKs have it, with the fields that one reserves and one uses. */
export const eventMessage = shape([
  [1, 'deviceId', 'string'],
  [2, 'userId', 'string'],
  [3, 'gioId', 'string'],
  [4, 'sessionId', 'string'],
  [5, 'dataSourceId', 'string'],
  [6, 'eventType', 'event_type'],
  [7, 'platform', 'string'],
  [8, 'timestamp', 'int64'],
  [9, 'domain', 'string'],
  [10, 'path', 'string'],
  [11, 'query', 'string'],
  [12, 'title', 'string'],
  [13, 'referralPage', 'string'],
  [14, 'globalSequenceId', 'int64'],
  [15, 'eventSequenceId', 'int32'],
  [16, 'screenHeight', 'int32'],
  [17, 'screenWidth', 'int32'],
  [18, 'language', 'string'],
  [19, 'sdkVersion', 'string'],
  [20, 'appVersion', 'string'],
  [21, 'extraSdk', 'string_map'],
  [22, 'eventName', 'string'],
  [23, 'pageShowTimestamp', 'int64'],
  [24, 'attributes', 'string_map'],
  [25, 'resourceItem', resourceItem],
  [26, 'protocolType', 'string'],
  [27, 'textValue', 'string'],
  [28, 'xpath', 'string'],
  [29, 'index', 'int32'],
  [30, 'hyperlink', 'string'],
  [31, 'urlScheme', 'string'],
  [32, 'appState', 'string'],
  [33, 'networkState', 'string'],
  [34, 'appChannel', 'string'],
  [35, 'pageName', 'string'],
  [36, 'platformVersion', 'string'],
  [37, 'deviceBrand', 'string'],
  [38, 'deviceModel', 'string'],
  [39, 'deviceType', 'string'],
  [40, 'operatingSystem', 'string'],
  [42, 'appName', 'string'],
  [44, 'latitude', 'double'],
  [45, 'longitude', 'double'],
  [46, 'imei', 'string'],
  [47, 'androidId', 'string'],
  [48, 'oaid', 'string'],
  [49, 'googleAdvertisingId', 'string'],
  [50, 'idfa', 'string'],
  [51, 'idfv', 'string'],
  [52, 'orientation', 'string'],
  [53, 'projectKey', 'string'],
  [54, 'sendTime', 'int64'],
  [55, 'userKey', 'string'],
  [56, 'xcontent', 'string'],
  [57, 'timezoneOffset', 'string'],
]);

/** ItemDto. */
export const itemMessage = shape([
  [1, 'id', 'string'],
  [2, 'key', 'string'],
  [3, 'attributes', 'string_map'],
  [4, 'dataSourceId', 'string'],
  [5, 'projectKey', 'string'],
]);

/** UserMappingDto. */
export const mappingMessage = shape([
  [1, 'projectKey', 'string'],
  [2, 'sendTime', 'int64'],
  [3, 'identifies', 'string_map'],
  [4, 'dataSourceId', 'string'],
]);
