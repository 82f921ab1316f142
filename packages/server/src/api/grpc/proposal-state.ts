// GetProposal and WatchProposal: a proposal with its votes, the progress of its trial, its rollout and
// the vetoes against what it became. The stream sends a new state whenever one of these changes and
// ends by itself when nothing more can happen.

import type { ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import { utf8Encode } from "@kingly/base";
import type { JsonValue, KinglyError, Timer } from "@kingly/base";
import type { GetProposalRequest, ProposalStateInput } from "@kingly/protocol";
import { kindInfo } from "@kingly/resources";
import type { Proposal } from "@kingly/resources";
import type { Subscription } from "../../replica/replica.ts";
import { requireAllowed } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { readObject, settle } from "../core/reader.ts";
import { PROGRESS_INTERVAL_MS } from "../limits.ts";
import { failStream, principalOf, statusError } from "./calls.ts";
import type { Closable, StreamSet } from "./streams.ts";

type ProposalCall = ServerWritableStream<GetProposalRequest, ProposalStateInput>;

const FINAL = ["Rejected", "Inconclusive", "Expired", "Withdrawn", "Superseded", "Denied"];
const ENDED = [...FINAL, "Completed", "RolledBack"];

function encode(value: JsonValue | object): Buffer {
  return Buffer.from(utf8Encode(JSON.stringify(value)));
}

function stateOf(
  context: ApiContext,
  where: { readonly namespace: string; readonly name: string },
): { readonly message: ProposalStateInput; readonly ended: boolean } {
  const { state, soft } = context.replica;
  const info = kindInfo("Proposal");
  const proposal = readObject(context, info, where) as unknown as Proposal;
  const { namespace } = where;
  const { uid } = proposal.metadata;
  const { status } = proposal;
  const votes = state.objects("Vote", namespace).filter((vote) => vote.spec.proposalUid === uid);
  const rollout =
    status?.rollout === undefined ? undefined : state.object("Rollout", namespace, status.rollout);
  const version = status?.committedVersion ?? 0;
  const vetoes = state
    .objects("Veto", namespace)
    .filter(({ spec }) => spec.config === proposal.spec.config && spec.version === version);
  const message = {
    document: encode(proposal),
    votes: votes.map(encode),
    progress: soft.progress(uid).map(encode),
    rollout: rollout === undefined ? Buffer.alloc(0) : encode(rollout),
    vetoes: version === 0 ? [] : vetoes.map(encode),
    revision: state.meta().revision,
  };
  return { message, ended: ENDED.includes(status?.phase ?? "") };
}

/** Answers GetProposal. */
export async function getProposal(
  context: ApiContext,
  call: ServerUnaryCall<GetProposalRequest, ProposalStateInput>,
): Promise<ProposalStateInput> {
  requireAllowed(principalOf(context, call), "get", "proposals");
  await settle(context, { kind: "linearizable" });
  return stateOf(context, call.request).message;
}

const FOLLOWED = ["proposals/", "votes/", "rollouts/", "vetoes/"];

class ProposalStream implements Closable {
  readonly #context: ApiContext;
  readonly #streams: StreamSet;
  readonly #call: ProposalCall;
  readonly #subscriptions: Subscription[] = [];
  #timer: Timer | undefined;
  #last = "";
  #blocked = false;
  #ended = false;

  constructor(context: ApiContext, streams: StreamSet, call: ProposalCall) {
    this.#context = context;
    this.#streams = streams;
    this.#call = call;
    streams.add(this);
    for (const event of ["cancelled", "close", "error"]) call.on(event, () => this.#finish());
    call.on("drain", () => {
      this.#blocked = false;
      this.#send();
    });
  }

  start(): void {
    if (this.#ended) return;
    const { replica } = this.#context;
    const fromRevision = replica.state.meta().revision;
    for (const plural of FOLLOWED) {
      const subscription = replica.watch(
        { keyPrefix: `${plural}${this.#call.request.namespace}/`, fromRevision },
        {
          deliver: () => {
            this.#send();
            return true;
          },
          closed: (error) => this.end(error),
        },
      );
      this.#subscriptions.push(subscription);
    }
    this.#send();
    this.#armProgress();
  }

  /** Progress is soft state without events: looked at once a second. */
  #armProgress(): void {
    if (this.#ended) return;
    this.#timer = this.#context.clock.setTimer(PROGRESS_INTERVAL_MS, () => {
      this.#send();
      this.#armProgress();
    });
  }

  #send(): void {
    if (this.#ended || this.#blocked) return;
    try {
      const { message, ended } = stateOf(this.#context, this.#call.request);
      const { revision: _revision, ...content } = message;
      const text = JSON.stringify(content);
      if (text !== this.#last) {
        this.#last = text;
        this.#blocked = !this.#call.write(message);
      }
      if (!ended) return;
      this.#finish();
      this.#call.end();
    } catch (error) {
      this.end(statusError(this.#context, error, this.#call.getPath()));
    }
  }

  end(error: KinglyError): void {
    if (this.#ended) return;
    this.#finish();
    failStream(this.#call as never, error);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    for (const subscription of this.#subscriptions) subscription.close();
    this.#streams.remove(this);
  }
}

/** Serves WatchProposal. */
export function watchProposal(context: ApiContext, streams: StreamSet, call: ProposalCall): void {
  const method = call.getPath();
  let stream: ProposalStream;
  try {
    requireAllowed(principalOf(context, call), "watch", "proposals");
    stream = new ProposalStream(context, streams, call);
  } catch (error) {
    failStream(call as never, statusError(context, error, method));
    return;
  }
  settle(context, { kind: "linearizable" }).then(
    () => stream.start(),
    (error: unknown) => stream.end(statusError(context, error, method)),
  );
}
