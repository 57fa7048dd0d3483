// Members of groups made by the npm package ts-mls, for a test that tells them what to do.
//
// Reads a request a line from standard input: a command and its arguments, with spaces between; byte
// strings in hexadecimal, "-" for an empty one. Answers each with a line: "ok" and the results, or
// "error" and a reason. What fails changes nothing. ts_mls_peer.h has the commands' meaning.
import { webcrypto } from "node:crypto";
import { createInterface } from "node:readline";

globalThis.crypto ??= webcrypto; // Node before 20 has it, under another name
const mls = await import("ts-mls");
const { decodeRatchetTree, encodeRatchetTree } = await import("ts-mls/ratchetTree.js");

let suite;
const psks = {};
const keyPackages = new Map(); // by actor: of the next join
const states = new Map(); // by actor
const pending = new Map(); // by actor: the state after its own commit

const fromHex = (text) => (text === "-" ? new Uint8Array() : Uint8Array.from(Buffer.from(text, "hex")));
const toHex = (bytes) => (bytes?.length ? Buffer.from(bytes).toString("hex") : "-");
const textOf = (text) => new TextEncoder().encode(text);

function stateOf(actor) {
  const state = states.get(actor);
  if (state === undefined) throw new Error(`${actor} is in no group`);
  return state;
}

function parse(hex, wireformat) {
  const bytes = fromHex(hex);
  const decoded = mls.decodeMlsMessage(bytes, 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new Error("no MLSMessage");
  if (wireformat !== undefined && decoded[0].wireformat !== wireformat) {
    throw new Error(`not a message of the kind ${wireformat}`);
  }
  return decoded[0];
}

const messageOf = (wireformat, content) =>
  toHex(mls.encodeMlsMessage({ version: "mls10", wireformat, ...content }));

async function newKeyPackage(actor) {
  const credential = { credentialType: "basic", identity: textOf(actor) };
  return mls.generateKeyPackage(credential, mls.defaultCapabilities(), mls.defaultLifetime, [], suite);
}

function indexOf(state) {
  return mls.makePskIndex(state, psks);
}

// "add=<key package>", "remove=<leaf>", "psk=<id>", "resumption=<epoch>", "extensions=<type>:<data>,…"
function proposalOf(state, words) {
  const [kind, value] = words.split("=");
  const nonce = () => webcrypto.getRandomValues(new Uint8Array(suite.kdf.size));
  switch (kind) {
    case "add":
      return { proposalType: "add", add: { keyPackage: parse(value, "mls_key_package").keyPackage } };
    case "remove":
      return { proposalType: "remove", remove: { removed: Number(value) } };
    case "psk":
      return {
        proposalType: "psk",
        psk: { preSharedKeyId: { psktype: "external", pskId: fromHex(value), pskNonce: nonce() } },
      };
    case "resumption":
      return {
        proposalType: "psk",
        psk: {
          preSharedKeyId: {
            psktype: "resumption",
            usage: "application",
            pskGroupId: state.groupContext.groupId,
            pskEpoch: BigInt(value),
            pskNonce: nonce(),
          },
        },
      };
    case "extensions":
      return {
        proposalType: "group_context_extensions",
        groupContextExtensions: {
          extensions: value === "" ? [] : value.split(",").map((extension) => {
            const [type, data] = extension.split(":");
            return { extensionType: type, extensionData: fromHex(data) };
          }),
        },
      };
  }
  throw new Error(`no proposal "${kind}"`);
}

const commands = {
  async suite(number) {
    const name = Object.keys(mls.ciphersuites).find((key) => mls.ciphersuites[key] === Number(number));
    suite = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(name));
    return [name];
  },

  async psk(id, secret) {
    psks[mls.bytesToBase64(fromHex(id))] = fromHex(secret);
    return [];
  },

  async "key-package"(actor) {
    keyPackages.set(actor, await newKeyPackage(actor));
    return [messageOf("mls_key_package", { keyPackage: keyPackages.get(actor).publicPackage })];
  },

  async create(actor, groupId) {
    const own = await newKeyPackage(actor);
    states.set(
      actor,
      await mls.createGroup(fromHex(groupId), own.publicPackage, own.privatePackage, [], suite),
    );
    return [];
  },

  async join(actor, welcome, tree) {
    const own = keyPackages.get(actor);
    const state = await mls.joinGroup(
      parse(welcome, "mls_welcome").welcome,
      own.publicPackage,
      own.privatePackage,
      indexOf(undefined),
      suite,
      tree === "-" ? undefined : decodeRatchetTree(fromHex(tree), 0)[0],
    );
    states.set(actor, state);
    return [];
  },

  async propose(actor, isPublic, words) {
    const state = stateOf(actor);
    const made = await mls.createProposal(state, isPublic === "1", proposalOf(state, words), suite);
    states.set(actor, made.newState);
    return [toHex(mls.encodeMlsMessage(made.message))];
  },

  // With all proposals that have come, and those in the arguments by value.
  async commit(actor, isPublic, treeInWelcome, ...words) {
    const state = stateOf(actor);
    const made = await mls.createCommit(
      { state, cipherSuite: suite, pskIndex: indexOf(state) },
      {
        wireAsPublicMessage: isPublic === "1",
        ratchetTreeExtension: treeInWelcome === "1",
        extraProposals: words.map((word) => proposalOf(state, word)),
      },
    );
    pending.set(actor, made.newState);
    const welcome = made.welcome ? messageOf("mls_welcome", { welcome: made.welcome }) : "-";
    return [toHex(mls.encodeMlsMessage(made.commit)), welcome];
  },

  async accept(actor) {
    states.set(actor, pending.get(actor));
    pending.delete(actor);
    return [];
  },

  async process(actor, message) {
    const state = stateOf(actor);
    const { wireformat, privateMessage, publicMessage } = parse(message);
    const result =
      wireformat === "mls_private_message"
        ? await mls.processPrivateMessage(state, privateMessage, indexOf(state), suite)
        : await mls.processPublicMessage(state, publicMessage, indexOf(state), suite);
    states.set(actor, result.newState);
    return result.kind === "applicationMessage" ? ["said", toHex(result.message)] : ["taken"];
  },

  // The same by the function that takes messages of both kinds, for a case in the test; the member
  // stays where it was.
  async "process-either"(actor, message) {
    const state = stateOf(actor);
    await mls.processMessage(parse(message), state, indexOf(state), mls.acceptAll, suite);
    return [];
  },

  async protect(actor, text, authenticatedData) {
    const made = await mls.createApplicationMessage(
      stateOf(actor), fromHex(text), suite, fromHex(authenticatedData),
    );
    states.set(actor, made.newState);
    return [messageOf("mls_private_message", { privateMessage: made.privateMessage })];
  },

  async view(actor) {
    const state = stateOf(actor);
    const { exporterSecret, epochAuthenticator } = state.keySchedule;
    const exported = await mls.mlsExporter(exporterSecret, "a label", textOf("a context"), 40, suite);
    return [
      state.groupContext.epoch, state.privatePath.leafIndex, toHex(epochAuthenticator),
      toHex(exported), toHex(state.groupContext.treeHash), toHex(encodeRatchetTree(state.ratchetTree)),
    ];
  },

  async extensions(actor) {
    return [stateOf(actor).groupContext.extensions.map((e) => `${e.extensionType}`).join(",") || "-"];
  },

  async "group-info"(actor) {
    const info = await mls.createGroupInfoWithExternalPubAndRatchetTree(stateOf(actor), [], suite);
    return [messageOf("mls_group_info", { groupInfo: info })];
  },

  async "join-externally"(actor, groupInfo) {
    const own = await newKeyPackage(actor);
    const joined = await mls.joinGroupExternal(
      parse(groupInfo, "mls_group_info").groupInfo, own.publicPackage, own.privatePackage, false, suite,
    );
    states.set(actor, joined.newState);
    return [messageOf("mls_public_message", { publicMessage: joined.publicMessage })];
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = line.split(" ");
  let answer;
  try {
    answer = ["ok", ...(await commands[command](...rest))].join(" ");
  } catch (error) {
    answer = `error ${`${error?.message ?? error}`.replaceAll("\n", " ")}`;
  }
  process.stdout.write(`${answer}\n`);
}
