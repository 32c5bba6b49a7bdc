/** Cuts a stream of bytes into records that each end with `delimiter`, which is left out. */
export async function* splitRecords(chunks: AsyncIterable<Buffer>, delimiter: number): AsyncGenerator<Buffer> {
  /** The beginning of a record whose end has not come yet. */
  let pending: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(delimiter); end !== -1; end = chunk.indexOf(delimiter, start)) {
      const last = chunk.subarray(start, end);
      yield pending.length === 0 ? last : Buffer.concat([...pending, last]);
      pending = [];
      start = end + 1;
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
  if (pending.length > 0) throw new Error('The stream ended in the middle of a record');
}
