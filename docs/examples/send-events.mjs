// The bearer key is the project. Without `id` the whole event is its identity.
const batch = crypto.randomUUID();
const events = [
  { id: `${batch}-0`, name: 'view_cart', anonymous_id: 'visitor-1', occurred_at: Date.now() },
  { id: `${batch}-1`, name: 'purchase', anonymous_id: 'visitor-1', properties: { price: 129.95 } },
  // A track without a name: this one is kept in quarantine, and the answer says why.
  { id: `${batch}-2`, anonymous_id: 'visitor-1' },
];

const response = await fetch(`http://127.0.0.1:${process.env.INGEST_PORT ?? 8080}/v1/events`, {
  method: 'POST',
  headers: { Authorization: 'Bearer bikes' },
  body: JSON.stringify(events),
});
// 200 and 400 carry verdicts, and nothing is to be sent again. Send the same events again after 503 or no answer at all.
if (response.status !== 200 && response.status !== 400) {
  throw new Error(`${response.status} ${await response.text()}`);
}

const { verdicts } = await response.json();
for (const { index, verdict, event_id: id, reason, detail } of verdicts) {
  const name = events[index]?.name ?? '';
  console.log(id === undefined ? `${name}: ${verdict}, ${reason}: ${detail}` : `${name} ${verdict} ${id}`);
}
