/**
 * A word-level n-gram language model: it counts which word followed which two
 * words in its texts, and speaks by drawing from those counts. It is not a
 * neural network and understands nothing; it is here because it needs no GPU,
 * no download and no package, and still prints token after token.
 *
 * @module
 */

/** A source of numbers in [0, 1), like `Math.random`. */
export type Random = () => number;

const EDGE = "\u0002"; // stands before the first and after the last word
const LONGEST_SENTENCE = 36;
const SHORTEST_SENTENCE = 5;
const TRIES = 40;
const STRAY = 0.15; // how often a word is drawn as if less had been read

// Words that say how something is asked, not what about. In small texts they
// can be rarer than the word that matters.
const ASKING = new Set(
  ("a about all am an and any are can could describe do does explain for from " +
    "give how i in is it let like me my of on or please say should so some " +
    "tell that the them then there these they this to us was we what when " +
    "where which who why will with would write you your").split(" "),
);

/** Repeatable random numbers (mulberry32): the same seed and salt, the same numbers. */
export function seededRandom(seed: number, salt = ""): Random {
  let state = seed >>> 0;
  for (const character of salt) {
    state = Math.imul(state ^ character.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The sentences of a text, each as words and punctuation marks. */
export function sentencesOf(text: string): string[][] {
  const tokens = text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[.,;:!?—]/gu);
  const sentences: string[][] = [];
  let sentence: string[] = [];
  for (const token of tokens ?? []) {
    sentence.push(token);
    if (/^[.!?]$/.test(token)) {
      sentences.push(sentence);
      sentence = [];
    }
  }
  return sentences; // what never ends (a title) teaches no ending: left out
}

/** Counts of what follows each run of up to `order - 1` words. */
class Counts {
  readonly #order: number;
  readonly #followers = new Map<string, Map<string, number>>();

  constructor(order: number) {
    this.#order = order;
  }

  learn(sentence: readonly string[]): void {
    const padded = [EDGE, ...sentence, EDGE];
    for (let end = 1; end < padded.length; end++) {
      for (let length = 0; length < this.#order && length <= end; length++) {
        const context = padded.slice(end - length, end).join(" ");
        let followers = this.#followers.get(context);
        if (!followers) this.#followers.set(context, followers = new Map());
        followers.set(padded[end], (followers.get(padded[end]) ?? 0) + 1);
      }
    }
  }

  /** The next word: by the longest context known, else by a shorter one. */
  next(history: readonly string[], random: Random): string {
    for (let length = this.#order - 1; length >= 0; length--) {
      if (length > history.length) continue;
      const context = history.slice(history.length - length).join(" ");
      const followers = this.#followers.get(context);
      if (!followers) continue;
      // Two words with one known follower would recite the text to its end;
      // now and then the shorter context is asked so that it strays instead.
      const strays = followers.size === 1 && length > 1;
      if (strays && random() < STRAY) continue;
      return draw(followers, random);
    }
    return EDGE;
  }
}

function draw(counts: Map<string, number>, random: Random): string {
  let total = 0;
  for (const count of counts.values()) total += count;
  let left = random() * total;
  for (const [word, count] of counts) {
    left -= count;
    if (left < 0) return word;
  }
  return EDGE;
}

/** An n-gram model that can be asked for sentences around a word. */
export class NGramModel {
  readonly #forward: Counts;
  // The same sentences read from their ends: this lets a sentence be grown
  // from a word in its middle back to a beginning.
  readonly #backward: Counts;
  /** Lower-case word → how it is written → how often. */
  readonly #spellings = new Map<string, Map<string, number>>();

  /** @param order words looked at together, the new one included */
  constructor(order = 3) {
    this.#forward = new Counts(order);
    this.#backward = new Counts(order);
  }

  /** Adds a text to the counts. */
  learn(text: string): void {
    for (const sentence of sentencesOf(text)) {
      this.#forward.learn(sentence);
      this.#backward.learn(sentence.toReversed());
      for (const word of sentence) {
        const lower = word.toLowerCase();
        let spellings = this.#spellings.get(lower);
        if (!spellings) this.#spellings.set(lower, spellings = new Map());
        spellings.set(word, (spellings.get(word) ?? 0) + 1);
      }
    }
  }

  /** The words of a prompt that the model has read, the rarest first. */
  topics(prompt: string): string[] {
    const words = prompt.toLowerCase().match(
      /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu,
    );
    const known = new Set<string>();
    for (const word of words ?? []) {
      if (ASKING.has(word)) continue;
      const forms = [word, `${word}s`, word.replace(/s$/, "")];
      const form = forms.find((form) => this.#spellings.has(form));
      if (form) known.add(form);
    }
    return [...known].sort((a, b) => this.#count(a) - this.#count(b));
  }

  #count(lower: string): number {
    let total = 0;
    for (const n of this.#spellings.get(lower)?.values() ?? []) total += n;
    return total;
  }

  /** One sentence, around the word `about` if given. */
  sentence(random: Random, about = ""): string[] {
    const spellings = this.#spellings.get(about.toLowerCase());
    let words: string[] = [];
    for (let tries = 0; tries < TRIES; tries++) {
      words = spellings ? [draw(spellings, random)] : [];
      const begins = !spellings || grow(this.#backward, words, random);
      words = [EDGE, ...words.reverse()];
      const ends = begins && grow(this.#forward, words, random);
      words.shift();
      if (ends && words.length >= SHORTEST_SENTENCE) break;
    }
    return words;
  }

  /** Sentences without end: first about the prompt, then about each other. */
  *answer(prompt: string, random: Random): Generator<string[]> {
    const topics = this.topics(prompt);
    const said = new Set<string>();
    while (true) {
      const topic = topics.shift();
      let sentence = this.sentence(random, topic);
      for (let tries = 0; tries < 8 && said.has(sentence.join(" ")); tries++) {
        sentence = this.sentence(random, topic);
      }
      if (said.size >= 100) said.clear(); // an endless answer, a bounded memory
      said.add(sentence.join(" "));
      yield sentence;
      if (topics.length === 0) {
        const words = sentence.filter((word) => word.length > 4 && !ASKING.has(word.toLowerCase()));
        if (words.length > 0) {
          topics.push(words[Math.floor(random() * words.length)]);
        }
      }
    }
  }
}

/** Adds words up to the edge of a sentence; false if it is too far away. */
function grow(counts: Counts, words: string[], random: Random): boolean {
  while (words.length <= LONGEST_SENTENCE) {
    const word = counts.next(words, random);
    if (word === EDGE) return true;
    words.push(word);
  }
  return false;
}
