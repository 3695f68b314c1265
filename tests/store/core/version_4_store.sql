CREATE TABLE announcements (
	seq BIGINT NOT NULL,
	at BIGINT NOT NULL,
	text TEXT NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (seq)
);
INSERT INTO "announcements" VALUES(1767225600014,1767225603000,'{"link":{"name":"grand","state":"ESTABLISHED"}}',1346417311);
CREATE TABLE cursors (
	link VARCHAR NOT NULL,
	seq BIGINT NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (link)
);
INSERT INTO "cursors" VALUES('grand',1767225600088,2310261704);
CREATE TABLE events (
	seq BIGINT NOT NULL,
	link VARCHAR NOT NULL,
	at BIGINT NOT NULL,
	type VARCHAR NOT NULL,
	room VARCHAR,
	text TEXT NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (seq)
);
INSERT INTO "events" VALUES(1767225600017,'grand',1767225604000,'resync.started',NULL,'{"extensions": [], "resync": true}',1374954440);
INSERT INTO "events" VALUES(1767225600020,'grand',1767225604000,'guest.checked_in','101','{"extensions": ["101"], "resync": true, "guest": {"number": "7", "name": "Weiß", "first_name": "Greta", "title": null, "language": "GE", "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-05", "sharer": false}}',3116382618);
INSERT INTO "events" VALUES(1767225600022,'grand',1767225604000,'guest.checked_in','102','{"extensions": ["102"], "resync": true, "guest": {"number": "8", "name": "Li", "first_name": null, "title": null, "language": null, "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-02", "sharer": false}}',804976416);
INSERT INTO "events" VALUES(1767225600024,'grand',1767225604000,'guest.checked_in','102','{"extensions": ["102"], "resync": true, "guest": {"number": "9", "name": "Li", "first_name": "Wei", "title": null, "language": null, "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-02", "sharer": true}}',2731448661);
INSERT INTO "events" VALUES(1767225600026,'grand',1767225604000,'room.class_of_service','101','{"extensions": ["101"], "resync": false, "value": 2, "by": "pms"}',2544848555);
INSERT INTO "events" VALUES(1767225600027,'grand',1767225604000,'room.message_light','101','{"extensions": ["101"], "resync": false, "value": true, "by": "pms"}',1389266244);
INSERT INTO "events" VALUES(1767225600029,'grand',1767225604000,'room.class_of_service','102','{"extensions": ["102"], "resync": false, "value": 1, "by": "pms"}',3120582938);
INSERT INTO "events" VALUES(1767225600030,'grand',1767225604000,'room.do_not_disturb','102','{"extensions": ["102"], "resync": false, "value": true, "by": "pms"}',2964348739);
INSERT INTO "events" VALUES(1767225600033,'grand',1767225604000,'resync.ended',NULL,'{"extensions": [], "resync": true, "complete": true}',2294806668);
INSERT INTO "events" VALUES(1767225600037,'grand',1767225605000,'guest.checked_in','205','{"extensions": ["205"], "resync": false, "guest": {"number": "12", "name": "Okafor", "first_name": "Ada", "title": null, "language": "EA", "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-09", "sharer": false}}',1295793613);
INSERT INTO "events" VALUES(1767225600041,'grand',1767225605000,'wake_up.set','101','{"extensions": ["101"], "resync": false, "wake_up": {"id": 1767225600040, "at": "2026-01-01T07:00:00"}, "by": "pms"}',2111794294);
INSERT INTO "events" VALUES(1767225600044,'grand',1767225605000,'wake_up.set','205','{"extensions": ["205"], "resync": false, "wake_up": {"id": 1767225600043, "at": "2026-01-02T06:30:00"}, "by": "pms"}',4136530083);
INSERT INTO "events" VALUES(1767225600048,'grand',1767225605000,'guest.changed','101','{"extensions": ["101"], "resync": false, "guest": {"number": "7", "name": "Weiss", "first_name": "Greta", "title": null, "language": "GE", "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-05", "sharer": false}}',2596958561);
INSERT INTO "events" VALUES(1767225600064,'grand',1767225609000,'posting.refused','102','{"extensions": ["102"], "resync": false, "posting": {"id": 1767225600058, "link": "grand", "record": "PS", "type": "call", "room": "102", "body": "{\"room\": \"102\", \"amount\": 75}", "text": "PS|RN102|PTC|TA75|DA260101|TI000108|", "subject": null, "until": null, "number": 2, "created": 1767225608000, "changed": 1767225600063, "state": "refused", "queued": 0, "attempts": 1, "lost": 0, "sent": 1767225608000, "sent_seq": 1767225600060, "answered": 1767225609000, "answer": "NG", "text_answer": "no such guest", "not_before": null, "held_since": null}}',2552835582);
INSERT INTO "events" VALUES(1767225600072,'grand',1767225611000,'posting.unknown','205','{"extensions": ["205"], "resync": false, "posting": {"id": 1767225600066, "link": "grand", "record": "PS", "type": "call", "room": "205", "body": "{\"room\": \"205\", \"amount\": 300}", "text": "PS|RN205|PTC|TA300|DA260101|TI000110|", "subject": null, "until": null, "number": 3, "created": 1767225610000, "changed": 1767225600071, "state": "unknown", "queued": 0, "attempts": 1, "lost": 1, "sent": 1767225610000, "sent_seq": 1767225600068, "answered": null, "answer": null, "text_answer": null, "not_before": null, "held_since": null}}',1578203231);
INSERT INTO "events" VALUES(1767225600088,'grand',1767225616000,'wake_up.set','102','{"extensions": ["102"], "resync": false, "wake_up": {"id": 1767225600087, "at": "2026-01-01T08:15:00"}, "by": "pbx"}',3780112254);
INSERT INTO "events" VALUES(1767225600098,'grand',1767250800000,'wake_up.due','101','{"extensions": ["101"], "resync": false, "wake_up": {"id": 1767225600040, "at": "2026-01-01T07:00:00"}, "attempt": 1, "attempts": 2, "until": "2026-01-01T07:03:00.000Z"}',2615034231);
INSERT INTO "events" VALUES(1767225600101,'grand',1767250800000,'wake_up.done','101','{"extensions": ["101"], "resync": false, "wake_up": {"id": 1767225600040, "at": "2026-01-01T07:00:00"}, "result": "answered", "attempts": 1}',3068769184);
INSERT INTO "events" VALUES(1767225600112,'grand',1767250804000,'guest.checked_out','102','{"extensions": ["102"], "resync": false, "guest": {"number": "9", "name": "Li", "first_name": "Wei", "title": null, "language": null, "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-02", "sharer": true}, "vacant": false}',3852049758);
CREATE TABLE facts (
	name VARCHAR NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "facts" VALUES('version','4');
INSERT INTO "facts" VALUES('running','1');
INSERT INTO "facts" VALUES('sequence','1767251025004');
CREATE TABLE houses (
	link VARCHAR NOT NULL,
	body TEXT NOT NULL,
	next_at BIGINT,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (link)
);
INSERT INTO "houses" VALUES('grand','{"auditing": null, "resyncing": false, "leaving": {}}',1767255300000,137742135);
CREATE TABLE links (name VARCHAR NOT NULL, definition TEXT, intent VARCHAR NOT NULL, expiry_seen BIGINT, down_since BIGINT, last_in_sync BIGINT, resync_wanted BOOLEAN NOT NULL, resync_asked BIGINT, resync_started BIGINT, resync_ended BIGINT, resync_records INTEGER NOT NULL, intent_before VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (name));
INSERT INTO "links" VALUES('grand','{"host": "192.0.2.1", "port": 5010}','enabled',NULL,NULL,1767225605000,0,1767225603000,1767225604000,1767225604500,5,NULL,1579289116);
CREATE TABLE numbers (
	link VARCHAR NOT NULL,
	last INTEGER NOT NULL,
	PRIMARY KEY (link)
);
INSERT INTO "numbers" VALUES('grand',6);
CREATE TABLE postings (id BIGINT NOT NULL, link VARCHAR NOT NULL, record VARCHAR NOT NULL, type VARCHAR NOT NULL, room VARCHAR NOT NULL, body TEXT NOT NULL, text TEXT NOT NULL, subject VARCHAR, until BIGINT, "key" VARCHAR, asked VARCHAR, number INTEGER, created BIGINT NOT NULL, changed BIGINT NOT NULL, state VARCHAR NOT NULL, queued INTEGER NOT NULL, attempts INTEGER NOT NULL, lost INTEGER NOT NULL, sent BIGINT, sent_seq BIGINT, answered BIGINT, answer VARCHAR, text_answer TEXT, not_before BIGINT, held_since BIGINT, reservation VARCHAR, guests TEXT, room_sent VARCHAR, reason VARCHAR, checksum BIGINT NOT NULL, PRIMARY KEY (id));
INSERT INTO "postings" VALUES(1767225600051,'grand','PS','call','101','{"room": "101", "amount": 120}','PS|RN101|PTC|TA120|DA260101|TI000106|',NULL,NULL,'call-1','digest-1',1,1767225606000,1767225600056,'done',0,1,0,1767225606000,1767225600053,1767225607000,'OK',NULL,NULL,NULL,NULL,NULL,NULL,NULL,3284797464);
INSERT INTO "postings" VALUES(1767225600058,'grand','PS','call','102','{"room": "102", "amount": 75}','PS|RN102|PTC|TA75|DA260101|TI000108|',NULL,NULL,NULL,NULL,2,1767225608000,1767225600063,'refused',0,1,0,1767225608000,1767225600060,1767225609000,'NG','no such guest',NULL,NULL,NULL,NULL,NULL,'pms',1068036606);
INSERT INTO "postings" VALUES(1767225600066,'grand','PS','call','205','{"room": "205", "amount": 300}','PS|RN205|PTC|TA300|DA260101|TI000110|',NULL,NULL,NULL,NULL,3,1767225610000,1767225600071,'unknown',0,1,1,1767225610000,1767225600068,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unanswered',4010688427);
INSERT INTO "postings" VALUES(1767225600074,'grand','PS','call','101','{"room": "101", "amount": 10}','PS|RN101|PTC|TA10|DA260101|TI000112|',NULL,NULL,NULL,NULL,4,1767225612000,1767225600076,'discarded',0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,179502111);
INSERT INTO "postings" VALUES(1767225600078,'grand','PS','call','101','{"room": "101", "amount": 45}','PS|RN101|PTC|TA45|DA260101|TI000113|',NULL,NULL,NULL,NULL,5,1767225613000,1767250925008,'sent',0,2,0,1767250928000,1767250925007,1767225614000,'RY','busy',NULL,1767225614000,NULL,NULL,NULL,NULL,1443987094);
INSERT INTO "postings" VALUES(1767225600085,'grand','RE','status','102','{"status": 3}','RE|RN102|RS3|','status',NULL,NULL,NULL,NULL,1767225615000,1767225600096,'done',0,1,0,1767225617000,1767225600093,1767225618000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1921182088);
INSERT INTO "postings" VALUES(1767225600089,'grand','WR','wake_up','102','{"at": "2026-01-01T08:15:00"}','WR|RN102|DA260101|TI081500|',NULL,1767255300000,NULL,NULL,NULL,1767225616000,1767225600089,'pending',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,3070448136);
INSERT INTO "postings" VALUES(1767225600091,'grand','RE','voicemail','101','{"unread": 2, "read": 0}','RE|RN101|VM0200|','voicemail',NULL,NULL,NULL,NULL,1767225617000,1767225600091,'pending',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,3652238998);
INSERT INTO "postings" VALUES(1767225600102,'grand','WA','wake_up_result','101','{"at": "2026-01-01T07:00:00", "result": "answered"}','WA|RN101|DA260101|TI0700|ASOK|',NULL,NULL,NULL,NULL,NULL,1767250800000,1767225600102,'pending',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,725029374);
INSERT INTO "postings" VALUES(1767250925005,'grand','PS','call','205','{"room": "205", "amount": 60}','PS|RN205|PTC|TA60|DA260101|TI000108|',NULL,NULL,'call-2','digest-2',6,1767250928000,1767250925005,'pending',1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1876992347);
CREATE TABLE record_problems (seq BIGINT NOT NULL, link VARCHAR NOT NULL, at BIGINT NOT NULL, problem TEXT NOT NULL, checksum BIGINT NOT NULL, PRIMARY KEY (seq));
INSERT INTO "record_problems" VALUES(1767225600055,'grand',1767225606000,'XL is declared, but has no handler',1381705753);
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
INSERT INTO "records" VALUES(1767225600016,'grand',1767225604000,'in','DS','DS|DA260101|TI000004|',2304255158);
INSERT INTO "records" VALUES(1767225600019,'grand',1767225604000,'in','GI','GI|RN101|G#7|GNWeiß|GFGreta|GLGE|GA260101|GD260105|GSN|SF|',3300410248);
INSERT INTO "records" VALUES(1767225600021,'grand',1767225604000,'in','GI','GI|RN102|G#8|GNLi|GA260101|GD260102|GSN|SF|',3547626563);
INSERT INTO "records" VALUES(1767225600023,'grand',1767225604000,'in','GI','GI|RN102|G#9|GNLi|GFWei|GA260101|GD260102|GSY|SF|',3945929227);
INSERT INTO "records" VALUES(1767225600025,'grand',1767225604000,'in','RE','RE|RN101|CS2|DNN|MLY|',1452416973);
INSERT INTO "records" VALUES(1767225600028,'grand',1767225604000,'in','RE','RE|RN102|CS1|DNY|',3304940571);
INSERT INTO "records" VALUES(1767225600032,'grand',1767225604000,'in','DE','DE|DA260101|TI000005|',2829483222);
INSERT INTO "records" VALUES(1767225600036,'grand',1767225605000,'in','GI','GI|RN205|G#12|GNOkafor|GFAda|GLEA|GA260101|GD260109|GSN|DA260101|TI000010|',3747439650);
INSERT INTO "records" VALUES(1767225600039,'grand',1767225605000,'in','WR','WR|RN101|DA260101|TI0700|',2960671867);
INSERT INTO "records" VALUES(1767225600042,'grand',1767225605000,'in','WR','WR|RN205|DA260102|TI0630|',3483901526);
INSERT INTO "records" VALUES(1767225600047,'grand',1767225605000,'in','GC','GC|RN101|G#7|GNWeiss|DA260101|TI000020|',3865295878);
INSERT INTO "records" VALUES(1767225600049,'grand',1767225605000,'in','XL','XL|RN101|G#7|MI1|MTWelcome|DA260101|TI000021|',2533419240);
INSERT INTO "records" VALUES(1767225600105,'grand',1767250801000,'in','PA','PA|P#0001|ASOK|DA260101|TI000102|',1190652568);
INSERT INTO "records" VALUES(1767225600107,'grand',1767250801000,'out','PS','PS|RN101|PTC|TA120|P#0001|DA260101|TI000101|',3960679925);
INSERT INTO "records" VALUES(1767225600109,'grand',1767250801000,'in','GO','GO|RN102|G#9|GSY|DA260101|TI070010|',389241259);
CREATE TABLE rooms (
	link VARCHAR NOT NULL,
	room VARCHAR NOT NULL,
	body TEXT NOT NULL,
	changed BIGINT NOT NULL,
	named BOOLEAN NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (link, room)
);
INSERT INTO "rooms" VALUES('grand','205','{"guests": [{"number": "12", "name": "Okafor", "first_name": "Ada", "title": null, "language": "EA", "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-09", "sharer": false}], "class_of_service": null, "do_not_disturb": false, "message_light": false, "status": null, "wake_ups": [{"id": 1767225600043, "at": "2026-01-02T06:30:00", "fold": 0, "date": "260102", "time": "0630", "due": 1767335400000, "attempts": 0, "again": null, "result": null}], "over": []}',1767225605000,1,1349567383);
INSERT INTO "rooms" VALUES('grand','101','{"guests": [{"number": "7", "name": "Weiss", "first_name": "Greta", "title": null, "language": "GE", "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-05", "sharer": false}], "class_of_service": 2, "do_not_disturb": false, "message_light": true, "status": null, "wake_ups": [], "over": ["2026-01-01T07:00:00"]}',1767250800000,1,192063259);
INSERT INTO "rooms" VALUES('grand','102','{"guests": [{"number": "8", "name": "Li", "first_name": null, "title": null, "language": null, "vip": null, "group": null, "arrival": "2026-01-01", "departure": "2026-01-02", "sharer": false}], "class_of_service": 1, "do_not_disturb": true, "message_light": false, "status": 3, "wake_ups": [{"id": 1767225600087, "at": "2026-01-01T08:15:00", "fold": 0, "date": "260101", "time": "081500", "due": 1767255300000, "attempts": 0, "again": null, "result": null}], "over": []}',1767250804000,1,515618172);
CREATE TABLE runs (
	id BIGINT NOT NULL,
	began BIGINT NOT NULL,
	seen BIGINT NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES(1767225600000,1767225600000,1767250805000,4226928157);
INSERT INTO "runs" VALUES(1767250925000,1767250925000,1767250925000,324782759);
CREATE TABLE stays (id BIGINT NOT NULL, link VARCHAR NOT NULL, room VARCHAR NOT NULL, guest VARCHAR NOT NULL, reservation VARCHAR, since BIGINT NOT NULL, until BIGINT, checksum BIGINT NOT NULL, PRIMARY KEY (id));
INSERT INTO "stays" VALUES(1767251025002,'grand','205','12','12',1767225605000,NULL,1511919171);
INSERT INTO "stays" VALUES(1767251025003,'grand','101','7','7',1767250800000,NULL,3280733001);
INSERT INTO "stays" VALUES(1767251025004,'grand','102','8','8',1767250804000,NULL,3138815420);
CREATE TABLE syncs (
	id BIGINT NOT NULL,
	link VARCHAR NOT NULL,
	at BIGINT NOT NULL,
	in_sync BOOLEAN NOT NULL,
	checksum BIGINT NOT NULL,
	PRIMARY KEY (id)
);
INSERT INTO "syncs" VALUES(1767225600012,'grand',1767225603000,1,147257431);
INSERT INTO "syncs" VALUES(1767225600119,'grand',1767250805000,0,1999334856);
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
INSERT INTO "transitions" VALUES(1767225600003,1767225600004,'grand',1767225601000,NULL,'CLOSED','the service started','{"kind": "service_started"}',2950475647);
INSERT INTO "transitions" VALUES(1767225600006,1767225600007,'grand',1767225602000,'CLOSED','WAIT_LS','the connection is open','{"kind": "connected"}',818337080);
INSERT INTO "transitions" VALUES(1767225600009,1767225600010,'grand',1767225603000,'WAIT_LS','ESTABLISHED','the PMS has answered','{"kind": "link_alive"}',1871438465);
INSERT INTO "transitions" VALUES(1767225600116,1767225600117,'grand',1767250805000,'ESTABLISHED','RECONNECTING','the PMS has closed the connection','{"kind": "closed_by_pms"}',1286347271);
INSERT INTO "transitions" VALUES(1767250925002,1767250925003,'grand',1767250927000,NULL,'CLOSED','the service started','{"kind": "service_started"}',785717050);
CREATE INDEX records_of_link ON records (link, seq);
CREATE INDEX transitions_of_link ON transitions (link, id);
CREATE INDEX transitions_by_seq ON transitions (link, seq);
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
