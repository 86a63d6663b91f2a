import { Footfall } from './footfall';
import type { Options } from './types';
export { Footfall };
export type { DropReason, Event, Limits, Options, Properties, Stats } from './types';
/** Begin: `const footfall = init('ffw_…', { host: 'https://footfall.example' })`. Once a page. */
export declare function init(key: string, options?: Options): Footfall;

import type { Options, Properties, Stats } from './types';
/** Sends a page's events to one project of Footfall. Only the constructor throws, and only for what cannot work. */
export declare class Footfall {
    private readonly options;
    private readonly storage;
    private readonly sender;
    private visitor;
    private viewed;
    /** `key` is a project's write key, which may be public. */
    constructor(key: string, options?: Options);
    /** Queue an event. Its uuid, or undefined if it was dropped. */
    capture(name: string, properties?: Properties): string | undefined;
    /** Say who the visitor is. What they did before, on this device, becomes theirs. */
    identify(distinctId: string, set?: Properties, setOnce?: Properties): string | undefined;
    /** `previousId` is the same person as the visitor, or as `distinctId`. */
    alias(previousId: string, distinctId?: string): string | undefined;
    /** Properties that every event from now on has. */
    register(properties: Properties): void;
    unregister(name: string): void;
    /** The visitor signs out: a new one begins, with a session of their own. */
    reset(): void;
    /** Send nothing from now on, and forget what was not sent. Kept for later visits. */
    optOut(): void;
    optIn(): void;
    /** Whether nothing is sent: by `optOut`, or because the browser says so and nobody opted in. */
    get optedOut(): boolean;
    get distinctId(): string;
    get sessionId(): string;
    get stats(): Stats;
    /** Send what is queued. Whether none of it is left after `seconds`. */
    flush(seconds?: number): Promise<boolean>;
    private view;
    private leave;
    /** The view that ends: where it was, and for how many seconds. */
    private describeView;
    private queue;
    /** A session ends after half an hour without an event, and after a day. All tabs share it. */
    private session;
    private makeVisitor;
    private remember;
}

/** Any JSON object. */
export type Properties = Record<string, unknown>;
export interface Event {
    event: string;
    distinct_id: string;
    uuid: string;
    /** ISO 8601, by the browser's clock; `sent_at` of the body lets Footfall correct it. */
    timestamp: string;
    properties: Properties;
}
/** Why an event was not sent. README.md explains each. */
export type DropReason = 'queue_full' | 'too_large' | 'invalid' | 'before_send' | 'refused' | 'rejected';
export interface Limits {
    /** Events that wait at most; newer ones are dropped. */
    queueEvents: number;
    batchEvents: number;
    /** Bytes of a body, near enough. Browsers let a closing page send 64 KiB. */
    batchBytes: number;
    flushSeconds: number;
}
export interface Options {
    /** Where the Capture API answers, `https://footfall.example`. The page's own origin without one. */
    host?: string;
    /** Where on the host, if a proxy renames it. */
    path?: string;
    /** Capture `$pageview` at once and at every navigation, of single-page applications too. */
    pageviews?: boolean;
    /** Capture `$pageleave` when a page ends. As `pageviews` unless given. */
    pageleaves?: boolean;
    /** Capture clicks and submitted forms. What is typed is never read. */
    autocapture?: boolean;
    /** Send nothing for who asks so by Do Not Track or Global Privacy Control, until they opt in. */
    honourSignals?: boolean;
    /** Keep ids, the session and unsent events in localStorage. Without it a page load is a new visitor. */
    persist?: boolean;
    /** Send batches of some kilobytes as gzip, where the browser can. */
    compress?: boolean;
    limits?: Partial<Limits>;
    /** Sees every event before it is queued; returns it, changed or not, or null to drop it. */
    beforeSend?: (event: Event) => Event | null;
    /** Told how many events were dropped, and why. */
    onDrop?: (reason: DropReason, count: number) => void;
}
export interface Stats {
    queued: number;
    sent: number;
    dropped: Partial<Record<DropReason, number>>;
}
