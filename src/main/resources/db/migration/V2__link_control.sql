-- Links can be paused and reversed, have rates, and may send on what arrives. Those that are there do none of it.
UPDATE links SET document = json_set(
    document,
    '$.state', 'ACTIVE',
    '$.rates', json('{"bytesPerSecond":null,"windows":[]}'),
    '$.onArrival', json('false'));
