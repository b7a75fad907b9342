import { describe, expect, it } from "vitest";

import {
  asks,
  explain,
  misunderstanding,
  shown,
  thrown,
} from "../../src/core/handshake-failure.ts";
import { webSocketUrl } from "../../src/runtime/platform.ts";
import { refusal } from "../support/refusal.ts";
import { texts, urls } from "../support/vectors.ts";

const URL = "ws://x/api/ws";
const error = (message: unknown) => JSON.stringify({ type: "error", message, code: "forbidden" });

describe("why is asked", () => {
  it.each([
    ["at once, and ever less often, of a server that is not known", false, [1, 2, 4, 8, 16]],
    ["after four failures of one that has welcomed the client", true, [4, 8, 16]],
  ])("%s", (_when, known, times) => {
    const all = Array.from({ length: 31 }, (_, index) => index + 1);
    expect(all.filter((each) => asks(each, known))).toEqual(times);
  });
});

describe("a handshake failed:", () => {
  it("the server refuses the page, and says how to allow it", () => {
    const words =
      "pages from https://a.example may not connect: --origin https://a.example allows it";
    expect(explain(URL, { status: 403, text: error(words) }, 1, false)).toEqual({
      code: "forbidden",
      message: `no connection to ${URL}: this page or program is refused: ${words}`,
      details: null,
    });
  });

  it("somebody else refuses it, and says nothing that could be read", () => {
    for (const text of ["", "<h1>No</h1>", "null", "[]", error(7), error(undefined)]) {
      const { code, message } = explain(URL, { status: 403, text }, 1, false)!;
      expect([code, message]).toEqual([
        "forbidden",
        `no connection to ${URL}: this page or program is refused: HTTP 403`,
      ]);
    }
  });

  it.each([
    [
      404,
      error("there is nothing at '/api/ws'"),
      "there is nothing at '/api/ws': is the path right?",
    ],
    [404, "", "HTTP 404: is the path right?"],
    [200, "", "there is a web page: does what serves it pass WebSockets on?"],
    [401, "", "HTTP 401: is the path right?"],
  ])("there is none at this path: HTTP %i %s", (status, text, words) => {
    expect(explain(URL, { status, text }, 1, false)).toMatchObject({
      code: "not_supported",
      message: `no connection to ${URL}: ${words}`,
    });
  });

  it("words of others are not longer than an error's", () => {
    expect(
      explain(URL, { status: 404, text: error("x".repeat(10_000)) }, 1, false)!.message.length,
    ).toBeLessThan(400);
  });

  it.each([408, 425, 429, 500, 502, 503])("that may pass: HTTP %i", (status) => {
    expect(explain(URL, { status, text: error("busy") }, 9, false)).toBeUndefined();
  });

  it("nobody is there", () => {
    expect(explain(URL, undefined, 9, false)).toBeUndefined();
    expect(explain(URL, undefined, 9, false, "connect ECONNREFUSED 127.0.0.1:1")).toBeUndefined();
  });

  it.each([
    ["connect ECONNREFUSED 127.0.0.1:1", undefined, "connect ECONNREFUSED 127.0.0.1:1"],
    ["", undefined, "no answer that can be read"],
    ["Unexpected server response: 502", undefined, "HTTP 502"],
    ["", { status: 503, text: "" }, "HTTP 503"],
    ["", { status: 429, text: "" }, "HTTP 429"],
  ])(
    "no server has ever been there, and the second time it is no chance: %s",
    (why, plain, what) => {
      expect(explain(URL, plain, 1, true, why)).toBeUndefined();
      for (const times of [2, 4]) {
        expect(explain(URL, plain, times, true, why)).toEqual({
          code: "not_supported",
          message: `no connection to ${URL}: ${what}: is the server running there?`,
          details: null,
        });
      }
    },
  );

  it("there is a server that takes WebSockets: the second time it is no chance", () => {
    expect(explain(URL, { status: 426, text: "" }, 1, false)).toBeUndefined();
    const { code, message } = explain(URL, { status: 426, text: "" }, 2, false)!;
    expect(code).toBe("not_supported");
    expect(message).toContain("does a proxy pass on 'Upgrade' and 'Sec-WebSocket-Protocol'?");
  });

  it("the words of the server stand there", () => {
    const text = error(
      "/api/sync/ws takes a WebSocket, with no subprotocol, and this is a plain request",
    );
    expect(explain(URL, { status: 426, text }, 2, false)!.message).toContain("with no subprotocol");
  });

  it("what the socket says counts, and the words of the plain answer if it is the same", () => {
    const why = "Unexpected server response: 403";
    expect(explain(URL, { status: 426, text: error("plain") }, 1, false, why)!.message).toMatch(
      /HTTP 403$/,
    );
    expect(explain(URL, undefined, 1, false, why)).toMatchObject({ code: "forbidden" });
    expect(explain(URL, { status: 403, text: error("not you") }, 1, false, why)!.message).toMatch(
      /not you$/,
    );
    expect(explain(URL, undefined, 1, false, "Unexpected server response: 503")).toBeUndefined();
  });

  it.each(["Server sent no subprotocol", "Server sent an invalid subprotocol"])(
    "the socket does not like the subprotocol: %s",
    (why) => {
      expect(explain(URL, { status: 426, text: "" }, 1, false, why)).toMatchObject({
        code: "not_supported",
        message: `no connection to ${URL}: ${why}`,
      });
    },
  );
});

describe("a subprotocol", () => {
  it.each([
    ["json", "rhtmx.v1.json"],
    ["json", ""],
    ["proto", "rhtmx.v1.proto"],
  ] as const)("for %s may be '%s'", (format, spoken) => {
    expect(misunderstanding(URL, format, spoken)).toBeUndefined();
  });

  it.each([
    ["proto", "", "it does not speak rhtmx.v1.proto; "],
    ["proto", "rhtmx.v1.json", "it does not speak rhtmx.v1.proto, but rhtmx.v1.json; "],
    ["json", "mqtt", "it does not speak rhtmx.v1.json, but mqtt; "],
  ] as const)("for %s may not be '%s'", (format, spoken, words) => {
    const { code, message } = misunderstanding(URL, format, spoken)!;
    expect(code).toBe("not_supported");
    expect(message).toContain(words);
  });
});

describe("what is shown of a URL", () => {
  it.each(urls)("$given is $shown", ({ given, shown: words }) => {
    expect(shown(given)).toBe(words);
  });

  it.each(texts)("in a text: $given", ({ given, shown: words }) => {
    expect(thrown(URL, new Error(given)).message).toBe(`no connection to ${URL}: ${words}`);
  });

  it("is what every refusal says, in its own words and in those of others", () => {
    for (const url of ["ws://ada:s3cr3t@x/api/ws?token=s3cr3t", "ws://s3cr3t:12/34@x/api/ws"]) {
      const told = [
        explain(url, { status: 404, text: "" }, 1, false),
        misunderstanding(url, "proto", ""),
        thrown(url, new SyntaxError(`The URL '${url}' is invalid`)),
        refusal(() => webSocketUrl(url.replace("x/api", "x:y/api").replace("ws:", ":"))),
      ];
      for (const each of told) expect(each!.message).not.toContain("s3cr3t");
    }
  });
});
