// What the service says of each setting of a link: its kind, bounds, choices and defaults; and their groups.

let catalogue = null;

/** The groups of settings, in the order of the form. `enabled` is no field: a link is saved with or without it. */
export const GROUPS = {
  pms: ["profile", "host", "port", "connect"],
  hotel: ["timezone", "charset", "currency", "expires_at"],
  checks: ["alive_interval", "alive_timeout", "alive_on", "alive_by"],
  start: ["listen_time", "start_timeout", "describe", "sync_on", "sync_timeout", "end_timeout"],
  redial: ["retry_initial", "retry_max"],
  sending: [
    "answer_timeout",
    "unanswered",
    "send_limit",
    "late_charge",
    "record_gap",
    "posting_digits",
    "outbox_limit",
  ],
  rooms: ["extensions", "extension_prefix", "extension_table", "status_codes", "tariff"],
  wake: ["wake_up_attempts", "wake_up_interval", "wake_up_late"],
  webhook: ["webhook_url", "webhook_secret", "webhook_batch"],
  wire: ["framing", "tls", "ca_file", "records", "store_budget_mb"],
};

/** Settings whose change closes the connection for a moment. */
export const RECONNECTING = ["host", "port", "connect", "tls", "framing", "charset"];

/** Settings that a connection test depends on. */
export const TESTED = [
  ...GROUPS.pms,
  ...GROUPS.checks,
  ...GROUPS.start,
  "timezone",
  "charset",
  "framing",
  "tls",
  "ca_file",
  "records",
  "record_gap",
];

/** Load what the service says of settings: `{settings, profiles}`. */
export async function loadSettings() {
  if (catalogue === null) {
    const answer = await fetch(new URL("../known.json", import.meta.url));
    if (!answer.ok) throw new Error(`the settings cannot be read: ${answer.status}`);
    catalogue = await answer.json();
  }
  return catalogue;
}

/** The settings of a group, as the service describes them, in order. */
export function settingsOf(group, settings) {
  const byName = new Map(settings.map((setting) => [setting.name, setting]));
  return GROUPS[group].map((name) => byName.get(name)).filter(Boolean);
}

/** The default of a setting with a PMS product: its preset, or else the setting's own. */
export const defaultOf = (setting, profile, profiles) => profiles[profile]?.[setting.name] ?? setting.default;
