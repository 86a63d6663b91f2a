export interface Message {
  id: string;
  type: string;
  data: string;
}

/**
 * Reads server-sent events. Returns what is complete in `text`, and the rest for the next time.
 */
export function readMessages(text: string): { messages: Message[]; rest: string } {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const messages = blocks.map((block) => {
    const message: Message = { id: "", type: "message", data: "" };
    const data: string[] = [];
    for (const line of block.split("\n")) {
      const [name = "", ...values] = line.split(":");
      const value = values.join(":").replace(/^ /, "");
      if (name === "id") message.id = value;
      else if (name === "event") message.type = value;
      else if (name === "data") data.push(value);
    }
    message.data = data.join("\n");
    return message;
  });
  return { messages, rest };
}
