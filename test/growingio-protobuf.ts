import protobuf from 'protobufjs';

// The messages of the vendor's SDKs for Go and Java, read and written by Google's own rules instead of ours.
const { root } = protobuf.parse(
  `syntax = "proto3";
  enum EventType {
    VISIT = 0; CUSTOM = 1; VISITOR_ATTRIBUTES = 2; LOGIN_USER_ATTRIBUTES = 3; CONVERSION_VARIABLES = 4; APP_CLOSED = 5;
    PAGE = 6; PAGE_ATTRIBUTES = 7; VIEW_CLICK = 8; VIEW_CHANGE = 9; FORM_SUBMIT = 10; ACTIVATE = 11;
  }
  message ResourceItem { string id = 1; string key = 2; map<string, string> attributes = 3; }
  message EventV3Dto {
    string device_id = 1; string user_id = 2; string gio_id = 3; string session_id = 4; string data_source_id = 5;
    EventType event_type = 6; string platform = 7; int64 timestamp = 8; string domain = 9; string path = 10;
    string query = 11; string title = 12; string referral_page = 13; int64 global_sequence_id = 14;
    int32 event_sequence_id = 15; int32 screen_height = 16; int32 screen_width = 17; string language = 18;
    string sdk_version = 19; string app_version = 20; map<string, string> extra_sdk = 21; string event_name = 22;
    int64 page_show_timestamp = 23; map<string, string> attributes = 24; ResourceItem resource_item = 25;
    string project_key = 53; int64 send_time = 54; string user_key = 55; string xcontent = 56;
  }
  message EventV3List { repeated EventV3Dto values = 1; }
  message ItemDto {
    string id = 1; string key = 2; map<string, string> attributes = 3; string data_source_id = 4; string project_key = 5;
  }
  message ItemDtoList { repeated ItemDto values = 2; }
  message UserMappingDto {
    string project_key = 1; int64 send_time = 2; map<string, string> identifies = 3; string data_source_id = 4;
  }
  message UserMappingDtoList { repeated UserMappingDto values = 1; }`,
);

export type ListName = 'EventV3List' | 'ItemDtoList' | 'UserMappingDtoList';
export type Element = Record<string, unknown>;

/** Elements by the names that the JSON of the other SDKs has. */
export function writeList(name: ListName, values: readonly Element[]): Buffer {
  const type = root.lookupType(name);
  return Buffer.from(type.encode(type.fromObject({ values })).finish());
}

export function readList(name: ListName, bytes: Buffer): Element[] {
  const type = root.lookupType(name);
  const { values } = type.toObject(type.decode(bytes), { longs: Number, enums: String }) as {
    values: Element[];
  };
  return values;
}
