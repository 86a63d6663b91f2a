import type { Word } from "~/features/insights/words";

/** The question in words. */
export function Sentence({ words }: { words: readonly Word[] }) {
  return (
    <p className="max-w-[90ch] text-16 text-soft" dir="auto" data-testid="sentence">
      {words.map((word, index) =>
        word.strong ? (
          <strong key={index} className="font-medium text-text">
            {word.text}
          </strong>
        ) : (
          <span key={index}>{word.text}</span>
        ),
      )}
    </p>
  );
}
