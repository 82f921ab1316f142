// The agent's own file, owned by the node's administrator: who the node is, where servers are, and
// the binding of logical targets and signals to this machine. Servers never send any of this.

import type { OwnerKeyLimit, TunerLimits } from "@kingly/node-core";

/** Runs a program: first the path, then arguments; no shell. */
export interface CommandBinding {
  /** `{file}` in an argument stands for the path of the rendered file. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/** How a target is told to read its file again. */
export type ReloadBinding =
  | { readonly type: "command"; readonly command: CommandBinding }
  | { readonly type: "http"; readonly url: string; readonly method: "POST" | "PUT" | "GET" };

/** A content becomes a file. */
export interface FileApplierBinding {
  readonly type: "file";
  readonly path: string;
  /** Ignored when there is a template. */
  readonly format: "json" | "yaml";
  /** Path of a mustache template; absent = the data itself. */
  readonly template?: string;
  readonly check?: CommandBinding;
  readonly reload?: ReloadBinding;
  /** Permission bits of the file. */
  readonly mode: number;
}

/** A content becomes the body of a request. */
export interface HttpApplierBinding {
  readonly type: "http";
  /** Takes the content; answers GET with what runs. */
  readonly url: string;
  readonly method: "PUT" | "POST" | "PATCH";
}

/** How a target takes contents. */
export type ApplierBinding = FileApplierBinding | HttpApplierBinding;

/** One logical target. */
export interface TargetBinding {
  readonly applier: ApplierBinding;
  /** The owner's own bounds per top-level key. */
  readonly limits: Readonly<Record<string, OwnerKeyLimit>>;
}

/** What of a Prometheus page is the signal. */
export type PrometheusKind =
  "histogram-mean" | "histogram-quantile" | "counter-ratio" | "counter-rate" | "gauge";

export interface PrometheusProbeBinding {
  readonly type: "prometheus";
  readonly url: string;
  readonly kind: PrometheusKind;
  /** Metric; numerator of a ratio. */
  readonly metric: string;
  /** Denominator of a ratio. */
  readonly per?: string;
  /** 0 to 1, of a histogram-quantile. */
  readonly quantile: number;
  /** Only samples with these labels count. */
  readonly labels: Readonly<Record<string, string>>;
  /** Multiplies the value, for example 1000 for ms. */
  readonly scale: number;
  /** Fewer events than this in a block make it empty. */
  readonly minimumEvents: number;
}

/** Mean duration of a request, in seconds, asked at an interval during a block. */
export interface HttpProbeBinding {
  readonly type: "http";
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** How a signal is measured. */
export type ProbeBinding = PrometheusProbeBinding | HttpProbeBinding;

/** One logical signal. */
export interface SignalBinding {
  readonly probe: ProbeBinding;
  /** The owner's own margin, ratio. */
  readonly margin?: number;
}

/** Reverts at once, without statistics. */
export interface TripwireBinding {
  /** Target it speaks for; "" = all. */
  readonly target: string;
  readonly intervalMs: number;
  /** Consecutive failures that trip it. */
  readonly failures: number;
  readonly watch:
    | { readonly type: "http"; readonly url: string; readonly timeoutMs: number }
    | { readonly type: "max"; readonly probe: ProbeBinding; readonly maximum: number };
}

/** What the owner of a node allows, and where it is. */
export interface Binding {
  readonly targets: Readonly<Record<string, TargetBinding>>;
  readonly signals: Readonly<Record<string, SignalBinding>>;
  readonly tripwires: Readonly<Record<string, TripwireBinding>>;
  readonly tuner: TunerLimits;
}

/** The whole file. */
export interface AgentConfig {
  readonly node: string;
  /** host:port of the servers' gRPC listeners. */
  readonly servers: readonly string[];
  readonly stateDir: string;
  readonly joinToken?: string;
  /** Port of the loopback status page; 0 = any; absent = none. */
  readonly statusPort?: number;
  readonly binding: Binding;
}
