/** Reads the start of what is answered, whose end nobody waits for. @param max Characters, about. */
export async function readResponseStart(response: Response, max: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    while (text.length < max) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    // Of a connection that is gone there is nothing to cancel.
    reader.cancel().catch(() => {});
  }
  return text;
}
