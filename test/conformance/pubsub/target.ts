/** A started Pub/Sub, gRPC without TLS on the loopback interface. */
export interface Target {
  readonly port: number;
  close(): Promise<void>;
}
