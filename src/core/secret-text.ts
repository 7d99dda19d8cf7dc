/** What stands for a secret. */
export const REDACTED = '[redacted]';

const SECRET_KEY =
  /authorization|cookie|token$|password|passwd|passphrase|pwd$|secret|apikey|privatekey|credential|sess(?:ion)?id$|^sig$|signature$/;
/** The semantic conventions' name for what a browser or an app counts as one visit: no credential. */
const SESSION = 'session.id';

/** Of every pattern below, a sign that it needs: most texts have none of them, and nothing else is asked of those. */
const SIGN = /[=:@]|eyJ|-----B|(?:earer|asic|igest|egotiate|EARER|ASIC)\s/;
/** Of every pattern below, a word that it needs. Nine patterns cost ten times as much as this one. */
const WORD =
  /token|pass|pwd|secret|key|credential|authorization|cookie|sess|sig|[?&](?:code|auth)=|@|eyJ|-----BEGIN|bearer|basic|digest|negotiate/i;

/** The last at sign before the host is the one: passwords hold others. */
const USER_INFO: readonly [RegExp, string] = [
  /(:\/\/[^\s:@/"'`<>]*:)[^\s@/"'`<>]+@(?:[^\s@/?#"'`<>]*@)*/g,
  `$1${REDACTED}@`,
];

/**
 * Secrets inside texts. Each pattern takes time in proportion to the text: no repetition follows another one over the same characters, and no match
 * starts within what another start has looked through. What the last ones put in place leaves nothing for the first ones.
 * Quotes may be escaped, as those of JSON inside JSON are.
 */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  USER_INFO,
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z ]*PRIVATE KEY-----)?/g, REDACTED],
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, REDACTED],
  [/\b([Bb]earer|BEARER)\s+[\w.~+/=-]{6,}/g, `$1 ${REDACTED}`],
  // After these, a word in small letters is a word: "Basic authentication failed".
  [
    /\b([Bb]asic|BASIC|[Dd]igest|[Nn]egotiate)\s+(?![a-z]{1,24}(?![\w.~+/=-]))[\w.~+/=-]{6,}/g,
    `$1 ${REDACTED}`,
  ],
  [
    /((?:authorization|cookie)\\{0,3}["']?\s*[:=]\s*)(?:(")(?:[^"\\]|\\.)*|(\\{1,3}")[^"]*|(')[^']*|[^\r\n"']+)/gi,
    `$1$2$3$4${REDACTED}`,
  ],
  // Not where a user of this name has lost its password already: the host stays.
  [
    /((?:token|password|passwd|passphrase|pwd|secret|api[_-]?key|private[_-]?key|credential|sess(?:ion)?[_-]?id)\\{0,3}["']?\s*[=:]\s*)(?!\[redacted\]@)(?:(")(?:[^"\\]|\\.)*|(\\{1,3}")[^"]*|(')[^']*|[^\s&"',;\\]+)/gi,
    `$1$2$3$4${REDACTED}`,
  ],
  // Words that say something else before a colon, or outside of a query.
  [/(?<![a-z])((?:sig|signature)=)[^\s&"',;\\]+/gi, `$1${REDACTED}`],
  [/([?&](?:code|auth)=)[^\s&#"',;\\]+/gi, `$1${REDACTED}`],
  USER_INFO,
];

/** Whether a field of this name holds a secret: by its words, without case and punctuation. */
export function isSecretKey(key: string): boolean {
  return key !== SESSION && SECRET_KEY.test(bareKey(key));
}

/** Fields that name what lies in `value` beside them. */
export const LABELS: readonly string[] = ['name', 'key', 'header'];
/** What a header or a variable is called; a text that is not has no value of its own to hide. */
const NAME = /^[\w.-]{1,64}$/;

/**
 * Whether a value is the name of a secret, which then lies beside it.
 * @param isSecret which names are, where there are more than {@link isSecretKey} knows
 */
export function namesSecret(value: unknown, isSecret: (key: string) => boolean = isSecretKey): boolean {
  return typeof value === 'string' && NAME.test(value) && isSecret(value);
}

/** A name without case and punctuation. */
export function bareKey(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/**
 * Takes secrets out of a text: `Bearer ...`, `user:password@`, `password=...`, cookie headers, JSON Web Tokens, private keys, and `code=...` of a URL's query.
 * Takes time in proportion to the text; a second time changes nothing.
 */
export function redactText(text: string): string {
  if (!SIGN.test(text) || !WORD.test(text)) return text;
  let redacted = text;
  for (const [pattern, replacement] of PATTERNS) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/** As {@link redactText}, for the query of a URL that comes without its question mark. */
export function redactQuery(query: string): string {
  return query.startsWith('?') ? redactText(query) : redactText(`?${query}`).slice(1);
}
