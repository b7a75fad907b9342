/**
 * Texts of a known form: addresses, hosts, names, headers, identifiers.
 *
 * Knows for each form the document that defines it, and answers yes or no about one text.
 * Must not know rules, words of errors, or where a text comes from: nothing is trimmed here.
 *
 * Where `buf.validate` has a rule for a form, the verdict is that of its conformance suite. Every
 * function takes time in proportion to the text, whatever the text is: an expression below either
 * repeats one class of characters, or its parts begin with what the part before cannot hold. A
 * page bundles only what it calls.
 */

const MOST_PORT = 65_535;
const IPV6_GROUPS = 8;
/** RFC 1035, 2.3.4: 255 octets with the lengths of the first and last label. */
const HOST_LENGTH = 253;

/**
 * Whether a text is an email address, as an email input of a page takes it.
 *
 * By the HTML standard, "valid email address": `a@localhost` is one, and neither a quoted name
 * nor a letter that is not ASCII may be in it.
 *
 * @param text the text as it is; space around it is not ignored.
 * @example
 * isEmail("ada@example.com"); // true
 */
export function isEmail(text: string): boolean {
  return /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i.test(
    text,
  );
}

/**
 * Whether a text is the name of a host: labels of ASCII letters, digits and hyphens.
 *
 * By RFC 1034, 3.5 and RFC 1123, 2.1: up to 253 characters, a dot at the end not counted, and
 * the last label is no number.
 *
 * @example
 * isHostname("api.example.com."); // true
 */
export function isHostname(text: string): boolean {
  const name = withoutDot(text);
  return (
    name.length <= HOST_LENGTH &&
    name.split(".").every((label) => /^(?!-)[a-z\d-]{1,63}(?<!-)$/i.test(label)) &&
    !/(?:^|\.)\d+$/.test(name)
  );
}

function withoutDot(host: string): string {
  return host.endsWith(".") ? host.slice(0, -1) : host;
}

/**
 * Whether a text is an IP address: `192.0.2.1`, `2001:db8::1`, `fe80::1%eth0`.
 *
 * By RFC 3986, 3.2.2 (no leading zero) and RFC 4291, 2.2; what follows the `%` is any text
 * without a null character (RFC 4007, 11.2).
 *
 * @param text the text as it is.
 * @param version 4 or 6; 0 for either.
 */
export function isIp(text: string, version = 0): boolean {
  const [address, zone = "?"] = split(text, "%");
  return (
    (is(4, version) && !!ipv4(text)) ||
    (is(6, version) && !!zone && !zone.includes("\0") && !!ipv6(address))
  );
}

/**
 * Whether a text is an IP address with a number of bits: `192.0.2.0/24`.
 *
 * By RFC 4632, 3.1 and RFC 4291, 2.3; no zone may be in it.
 *
 * @param text the text as it is.
 * @param version 4 or 6; 0 for either.
 * @param strict all bits that follow the prefix are zero.
 */
export function isIpPrefix(text: string, version = 0, strict = false): boolean {
  const [address, length = ""] = split(text, "/");
  const groups = (is(4, version) && ipv4(address)) || (is(6, version) && ipv6(address));
  if (!groups || !isNumber(length, 16 * groups.length)) return false;
  return !strict || groups.every((group, place) => !(group & hostBits(+length - 16 * place)));
}

/** The bits of a group of 16 that are no part of a prefix of that many bits. */
function hostBits(prefix: number): number {
  return 0xffff >> Math.min(Math.max(prefix, 0), 16);
}

function is(version: number, asked: number): boolean {
  return !asked || asked === version;
}

/** A text up to a separator, and after it: undefined, if it has none. */
function split(text: string, separator: string): [before: string, after?: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Whether a text is a number from 0 on, without a leading zero. */
function isNumber(text: string, most: number): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && +text <= most;
}

/** The two groups of 16 bits of an IPv4 address. */
function ipv4(text: string): number[] | undefined {
  const parts = text.split(".", 5);
  if (parts.length !== 4 || !parts.every((part) => isNumber(part, 255))) return;
  const [one, two, three, four] = parts.map(Number) as [number, number, number, number];
  return [(one << 8) | two, (three << 8) | four];
}

/** The eight groups of 16 bits of an IPv6 address. */
function ipv6(text: string): number[] | undefined {
  const [before, after] = split(text, "::");
  const head = ipv6Groups(before, after === undefined);
  const tail = ipv6Groups(after ?? "", true);
  if (!head || !tail) return;
  const left = IPV6_GROUPS - head.length - tail.length;
  if (after === undefined ? left : left < 1) return;
  return [...head, ...Array<number>(left).fill(0), ...tail];
}

/** The groups between colons; the last one of an address may be an IPv4 address. */
function ipv6Groups(text: string, last: boolean): number[] | undefined {
  if (!text) return [];
  const parts = text.split(":", IPV6_GROUPS + 1);
  const end = last && ipv4(parts.at(-1)!);
  if (end) parts.pop();
  if (!parts.every((part) => /^[\da-f]{1,4}$/i.test(part))) return;
  return [...parts.map((part) => Number.parseInt(part, 16)), ...(end || [])];
}

/** Whether a text is a host, by its name or by its IP address. */
export function isAddress(text: string): boolean {
  return isHostname(text) || isIp(text);
}

/**
 * Whether a text is a host and a port: `example.com:80`, `192.0.2.1:80`, `[::1]:80`.
 *
 * @param text the text as it is.
 * @param portRequired a host alone does not do.
 */
export function isHostAndPort(text: string, portRequired: boolean): boolean {
  const literal = text.startsWith("[");
  const colon = text.lastIndexOf(":");
  const end = literal ? text.lastIndexOf("]") + 1 : colon < 0 ? text.length : colon;
  const host = text.slice(0, end);
  if (literal ? !isIp(host.slice(1, -1), 6) : !isHostname(host) && !isIp(host, 4)) return false;
  const port = text.slice(end);
  return port.startsWith(":") ? isNumber(port.slice(1), MOST_PORT) : !port && !portRequired;
}

/**
 * Whether a text is a URI, with its scheme: `https://example.com/?q`, `mailto:a@b`.
 *
 * By RFC 3986, with a zone in an IPv6 address by RFC 6874. What is encoded in the name of a host
 * is UTF-8. A URI may run code where it is a link: for one, use `isWebUrl`.
 */
export function isUri(text: string): boolean {
  return uriKind(text) === "URI";
}

/**
 * Whether a text is a URI, or a part of one that is read relative to another: `../a?b#c`.
 *
 * By RFC 3986, 4.1, as `isUri`; an empty text is one.
 */
export function isUriRef(text: string): boolean {
  return !!uriKind(text);
}

/** What a text is by RFC 3986, if it is anything. */
function uriKind(text: string): "URI" | "relative" | undefined {
  const uri =
    /^([a-z][a-z\d+.-]*:)?(?:\/\/([^/?#]*)(?=[/?#]|$))?([\w.~!$&'()*+,;=:@%/-]*)(?:\?[\w.~!$&'()*+,;=:@%/?-]*)?(?:#[\w.~!$&'()*+,;=:@%/?-]*)?$/i.exec(
      text,
    );
  if (!uri || /%(?![\da-f]{2})/i.test(text)) return;
  const [, scheme, authority, path] = uri;
  if (authority !== undefined && !isAuthority(authority)) return;
  if (scheme) return "URI";
  // RFC 3986, 4.2: what is before a colon in the first segment would be a scheme.
  return authority === undefined && /^[^/]*:/.test(path!) ? undefined : "relative";
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf("@");
  const host = text.slice(at + 1);
  if (!/^[\w.~!$&'()*+,;=:%-]*$/.test(text.slice(0, Math.max(at, 0)))) return false;
  const [, literal, name] = /^(?:\[([^\]]*)\]|([\w.~!$&'()*+,;=%-]*))(?::\d*)?$/.exec(host) ?? [];
  return name === undefined ? literal !== undefined && isIpLiteral(literal) : isUtf8(name);
}

function isIpLiteral(text: string): boolean {
  const [address, zone] = split(text, "%25");
  if (zone !== undefined && !(/^[\w.~%-]+$/.test(zone) && isUtf8(zone))) return false;
  return !!ipv6(address) || /^v[\da-f]+\.[\w.~!$&'()*+,;=:-]+$/i.test(text);
}

/** Whether what is encoded in a text is UTF-8. */
function isUtf8(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a text is an absolute `http` or `https` address, as a link may lead to it.
 *
 * By what browsers take: letters and digits of any language may be in it. Never one with another
 * scheme, such as `javascript:`. Its host is a name of labels of up to 63 characters, or an IP
 * address; its port is not 0. A letter of a name is one that this engine knows: the letters that
 * Unicode adds each year are refused until then, and a server may know fewer.
 *
 * @param text the text as it is; space around it is not ignored.
 * @example
 * isWebUrl("javascript:alert(1)"); // false
 */
export function isWebUrl(text: string): boolean {
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(text) ?? [];
  if (!authority || /[\0-\x20\x7f-\xa0\\<>"^`{|}\u2028\u2029]/.test(text)) return false;
  // Of one of these, NFKC makes a text with one of "/?#@:" in it: a reader may see another host.
  if (/[⁇-⁉℀℁℅℆⩴︓︖﹕﹖﹟﹫＃／：？＠]/.test(authority)) return false;
  const [, ip, name, port] =
    /^(?:[^[\]]*@)?(?:\[([^[\]@]*)\]|([^[\]:@]+))(?::(\d*))?$/.exec(authority) ?? [];
  if (port && !(+port && +port <= MOST_PORT)) return false;
  if (ip !== undefined) return isIp(ip, 6) && ip.split("%").length < 3;
  return name !== undefined && isWebHost(name);
}

function isWebHost(name: string): boolean {
  return (
    [...name].length <= HOST_LENGTH &&
    withoutDot(name)
      .split(".")
      .every((label) => /^(?!-)[\p{L}\p{N}_-]{1,63}(?<!-)$/u.test(label))
  );
}

/** Whether a text is a UUID with its hyphens (RFC 9562, 4), of any version. */
export function isUuid(text: string): boolean {
  return /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(text);
}

/** Whether a text is a UUID without its hyphens. */
export function isTuuid(text: string): boolean {
  return /^[\da-f]{32}$/i.test(text);
}

/** Whether a text is a ULID: 26 letters of Crockford's base 32, the first one at most 7. */
export function isUlid(text: string): boolean {
  return /^[0-7][\da-hjkmnp-tv-z]{25}$/i.test(text);
}

/** Whether a text is the full name of something in Protobuf: `my.package.Message`. */
export function isProtobufFqn(text: string): boolean {
  return text.split(".").every((part) => /^[a-z_]\w*$/i.test(part));
}

/** Whether a text is such a name with a dot before it: `.my.package.Message`. */
export function isProtobufDotFqn(text: string): boolean {
  return text.startsWith(".") && isProtobufFqn(text.slice(1));
}

/**
 * Whether a text is the name of an HTTP header, or of a pseudo-header as `:path`.
 *
 * @param text the text as it is.
 * @param strict by RFC 9110, 5.1; else it may hold anything but NUL, LF and CR.
 */
export function isHeaderName(text: string, strict = true): boolean {
  // The comma is no letter of a token in RFC 9110, 5.6.2, but `buf.validate` takes it.
  return strict ? /^:?[\w!#$%&'*+,.^|~`-]+$/.test(text) : !!text && isHeaderValue(text, false);
}

/**
 * Whether a text is the value of an HTTP header; an empty text is one.
 *
 * @param text the text as it is.
 * @param strict no control character but a tab (RFC 9110, 5.5); else any but NUL, LF and CR.
 */
export function isHeaderValue(text: string, strict = true): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what may not be in it
  return !(strict ? /[\0-\x08\n-\x1f\x7f]/ : /[\0\n\r]/).test(text);
}
