CREATE TABLE announcements (
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    checksum BIGINT NOT NULL,
    PRIMARY KEY (seq)
);
INSERT INTO "announcements" VALUES(1767225600018,1767225600000,'{"link":{"name":"grand"}}',848275163);
CREATE TABLE cursors (link VARCHAR NOT NULL, seq BIGINT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link));
CREATE TABLE events (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, type VARCHAR NOT NULL, room VARCHAR, text TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq));
CREATE TABLE facts (
    name VARCHAR NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('version','4');
INSERT INTO "facts" VALUES('sequence','1767225700004');
INSERT INTO "facts" VALUES('running','1');
CREATE TABLE houses (link VARCHAR NOT NULL, body TEXT NOT NULL, next_at BIGINT, checksum BIGINT NOT NULL, PRIMARY KEY (link));
CREATE TABLE links (name VARCHAR NOT NULL, definition TEXT, intent VARCHAR NOT NULL, expiry_seen BIGINT, down_since BIGINT, last_in_sync BIGINT, resync_wanted BOOLEAN NOT NULL, resync_asked BIGINT, resync_started BIGINT, resync_ended BIGINT, resync_records INTEGER NOT NULL, intent_before VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (name));
INSERT INTO "links" VALUES('grand','{"host": "192.0.2.1", "port": 5010}','enabled',NULL,NULL,1767225600004,0,1767225600005,1767225600006,1767225600900,2,NULL,319860375);
CREATE TABLE numbers (
    link VARCHAR NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (link)
);
INSERT INTO "numbers" VALUES('grand',1);
CREATE TABLE postings (id BIGINT NOT NULL, link VARCHAR NOT NULL, record VARCHAR NOT NULL, type VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, text TEXT NOT NULL, subject VARCHAR, until BIGINT, "key" VARCHAR, asked VARCHAR, number INTEGER, created BIGINT NOT NULL, changed BIGINT NOT NULL, state VARCHAR NOT NULL, queued INTEGER NOT NULL, attempts INTEGER NOT NULL, lost INTEGER NOT NULL, sent BIGINT, sent_seq BIGINT, answered BIGINT, answer VARCHAR, text_answer TEXT, not_before BIGINT, held_since BIGINT, reservation VARCHAR, guests TEXT, room_sent VARCHAR, reason VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (id));
INSERT INTO "postings" VALUES(1,'grand','PS','call','101','{}','PS|RN101|',NULL,NULL,NULL,NULL,1,1767225600000,1,'done',0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1510335979);
INSERT INTO "postings" VALUES(1767225600021,'grand','PS','call','101','{}','PS|RN101|',NULL,NULL,'k','a',1,1767225600000,1767225600021,'pending',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,313492434);
CREATE TABLE record_problems (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, problem TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq));
CREATE TABLE records (
    seq BIGINT NOT NULL,
    link VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    direction VARCHAR NOT NULL,
    type VARCHAR NOT NULL,
    text TEXT NOT NULL,
    checksum BIGINT NOT NULL,
    PRIMARY KEY (seq)
);
INSERT INTO "records" VALUES(1767225600014,'grand',1767225600000,'in','GI','GI|RN101|GNAdams|',3498357841);
INSERT INTO "records" VALUES(1767225600016,'grand',1767225600000,'in','GO','GO|RN101|',3339281653);
CREATE TABLE rooms (link VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, changed BIGINT NOT NULL, named BOOLEAN NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (link, room));
INSERT INTO "rooms" VALUES('grand','101','{"guests": [{"number": "7", "name": "Weiß", "first_name": null, "title": null, "language": null, "vip": null, "group": null, "arrival": null, "departure": null, "sharer": false}, {"number": "8", "name": "Adams", "first_name": null, "title": null, "language": null, "vip": null, "group": null, "arrival": null, "departure": null, "sharer": true}], "class_of_service": 2, "do_not_disturb": false, "message_light": false, "status": null, "wake_ups": [], "over": []}',1767225595000,1,3740941167);
INSERT INTO "rooms" VALUES('grand','102','{"guests": [{"number": "", "name": "Li", "first_name": null, "title": null, "language": null, "vip": null, "group": null, "arrival": null, "departure": null, "sharer": false}], "class_of_service": null, "do_not_disturb": false, "message_light": false, "status": null, "wake_ups": [], "over": []}',1767225596000,1,33983169);
INSERT INTO "rooms" VALUES('grand','103','{"guests": [], "class_of_service": null, "do_not_disturb": false, "message_light": false, "status": 3, "wake_ups": [], "over": []}',1767225597000,0,2784459178);
CREATE TABLE runs (
    id BIGINT NOT NULL,
    began BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    checksum BIGINT NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES(1767225600000,1767225600000,1767225660000,2583083648);
CREATE TABLE stays (id BIGINT NOT NULL, link VARCHAR NOT NULL, room VARCHAR NOT NULL, guest VARCHAR NOT NULL, reservation VARCHAR, since BIGINT NOT NULL, until BIGINT, checksum BIGINT NOT NULL, PRIMARY KEY (id));
INSERT INTO "stays" VALUES(1767225700002,'grand','101','7','7',1767225595000,NULL,3422960157);
INSERT INTO "stays" VALUES(1767225700003,'grand','101','8','8',1767225595000,NULL,4243706584);
INSERT INTO "stays" VALUES(1767225700004,'grand','102','stay 1767225700004',NULL,1767225596000,NULL,3108187382);
CREATE TABLE syncs (
    id BIGINT NOT NULL,
    link VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    in_sync BOOLEAN NOT NULL,
    checksum BIGINT NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO "syncs" VALUES(1767225600012,'grand',1767225600004,1,359567532);
CREATE TABLE transitions (
    id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    link VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    old VARCHAR,
    new VARCHAR NOT NULL,
    reason TEXT NOT NULL,
    cause TEXT NOT NULL,
    checksum BIGINT NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO "transitions" VALUES(1767225600002,1767225600006,'grand',1767225600000,NULL,'CLOSED','The service started','{"code": "started", "params": {}}',3622074271);
INSERT INTO "transitions" VALUES(1767225600003,1767225600008,'grand',1767225600001,'CLOSED','WAIT_LS','The service started','{"code": "started", "params": {}}',4194725202);
INSERT INTO "transitions" VALUES(1767225600004,1767225600010,'grand',1767225600002,'WAIT_LS','ESTABLISHED','The service started','{"code": "started", "params": {}}',1611493046);
CREATE INDEX records_of_link ON records (link, seq);
CREATE INDEX transitions_by_seq ON transitions (link, seq);
CREATE INDEX transitions_of_link ON transitions (link, id);
CREATE INDEX syncs_of_link ON syncs (link, id);
CREATE INDEX rooms_by_age ON rooms (named, changed);
CREATE INDEX events_of_link ON events (link, seq);
CREATE INDEX postings_of_link ON postings (link, state, id);
CREATE INDEX postings_by_number ON postings (link, number);
CREATE INDEX postings_by_change ON postings (changed);
CREATE INDEX postings_in_queue ON postings (link, record, id) WHERE queued = 1;
CREATE INDEX postings_by_room ON postings (link, room) WHERE number IS NULL;
CREATE UNIQUE INDEX postings_by_key ON postings (link, "key") WHERE key IS NOT NULL;
CREATE INDEX stays_of_room ON stays (link, room, id);
CREATE INDEX stays_of_guest ON stays (link, guest, id);
CREATE INDEX stays_by_end ON stays (until) WHERE until IS NOT NULL;
CREATE INDEX record_problems_of_link ON record_problems (link, seq);
