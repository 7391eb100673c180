/**
 * Reads a whole stream into a string.
 *
 * @param stream Text, or bytes of UTF-8.
 * @returns All of it.
 */
export async function toText(stream: ReadableStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
