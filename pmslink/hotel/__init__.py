"""The hotel behind a link: room state, what records do to it, and what a PBX and its phones send.

`record_reducer` is a reducer: it applies one record, or the time that has passed, to a `HotelState`, which
collects the resulting events. Its handlers are in `stays`, `resyncs`, `equipment` and `wake_ups`. They are
pure: no input or output and no clock; time, policy and new ids come in a `Context`. A record that says what
the state already holds emits nothing, so a PMS may repeat itself, and a replay of stored records gives the
same state.

`postings` and `phone_update_records` turn JSON bodies into records for the PMS. `call_tariff`, `extensions`
and `hotel_policy` hold what the hotel has configured.

May import `validation`, `fias`, `timestamps` and `errors`; nothing of the configuration or the store.
"""
