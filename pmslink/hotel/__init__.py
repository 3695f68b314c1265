"""The hotel of a link: the room state, its reducer, and the postings and updates of a PBX.

`record_reducer` applies one record, or the passage of time, to a `HotelState`, which
collects the resulting events. Its handlers are in `stays`, `resyncs`, `equipment` and `wake_ups`. They are
pure: no input or output and no clock; a `Context` has time, policy and new ids. A record that repeats
the current state emits no event, so a PMS may repeat records, and a replay of stored records gives
the same state.

`postings` and `phone_update_records` convert JSON bodies to records for the PMS. `call_tariff`,
`extensions` and `hotel_policy` implement the settings of the hotel.

May import `validation`, `fias`, `timestamps` and `errors`; nothing of the configuration or the store.
"""
