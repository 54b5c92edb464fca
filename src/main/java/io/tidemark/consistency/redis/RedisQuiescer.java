package io.tidemark.consistency.redis;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.redis.RedisSession.ServerState;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Holds a server's writers by {@code CLIENT PAUSE ... WRITE}, which the server ends by itself at its limit, until all
 * that it had acknowledged is in its append-only file.
 *
 * <p>A pause is needed although a cut is atomic: with {@code appendfsync everysec} the server answers writers before
 * it has written the file whenever a sync is under way, for up to two seconds (Redis 7.0, aof.c,
 * {@code flushAppendOnlyFile}: the write is postponed). What is acknowledged is then nowhere but in its memory.
 */
final class RedisQuiescer implements Quiescer {
    /** The first that pauses writers alone: before it a pause would hold our own connection too. */
    private static final int VERSION_MINIMUM = 6_02;
    /** The newest whose commands were read; a later one may have changed them. */
    private static final int MAJOR_MAXIMUM = 8;

    private static final int NUMBERS_A_MAJOR = 100;
    private static final long ASK_EVERY_MILLIS = 50;

    private final RedisSettings settings;

    RedisQuiescer(RedisSettings settings) {
        this.settings = settings;
    }

    @Override
    public String kind() {
        return RedisSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = RedisSession.open(settings)) {
            var state = session.state();
            refuseUnfit(state);
            session.pause(Duration.ZERO);
            var warnings = new ArrayList<String>();
            if (state.text("redis_mode").equals("cluster")) {
                warnings.add("redis %s is one node of a cluster: the recovery point holds its slots alone"
                        .formatted(subject()));
            }
            if (!state.keepsAppendOnlyFile()) {
                warnings.add("redis %s keeps no append-only file: its writers are held for as long as a save takes"
                        .formatted(subject()));
            }
            warnings.addAll(places(session, state, volumes));
            return new Check(warnings);
        } catch (IOException e) {
            throw failed(reason(e));
        }
    }

    private List<String> places(RedisSession session, ServerState state, List<Volume> volumes)
            throws ConsistencyException, IOException {
        if (settings.socket().isEmpty() && !ApplicationPlaces.isLocal(settings.host())) {
            return ApplicationPlaces.Finding.elsewhere().unverified();
        }
        var folder = session.configured("dir");
        if (folder.isEmpty()) {
            return List.of("dir of redis %s is hidden from the user (allow config|get), so nobody checked that it lies"
                            .formatted(subject())
                    + " on the volumes");
        }
        var places = new LinkedHashMap<Path, String>();
        var data = Path.of(folder.get());
        places.put(data, "data directory");
        if (state.keepsAppendOnlyFile()) {
            // Either may be a symbolic link to another file system; followed by the mount table's look-up.
            session.configured("appenddirname")
                    .map(data::resolve)
                    .ifPresent(path -> places.put(path, "append-only file"));
            session.configured("appendfilename")
                    .map(data::resolve)
                    .filter(Files::exists)
                    .ifPresent(path -> places.put(path, "append-only file"));
        }
        session.configured("dbfilename")
                .map(data::resolve)
                .filter(Files::exists)
                .ifPresent(path -> places.put(path, "save file"));
        var finding = new ApplicationPlaces(MountTable.read()).find(places, volumes);
        if (finding.outside().isPresent()) {
            throw failed(finding.outside().get());
        }
        return finding.unverified();
    }

    private void refuseUnfit(ServerState state) throws ConsistencyException {
        var version = state.text("redis_version");
        int number = version(version);
        if (number < VERSION_MINIMUM || number / NUMBERS_A_MAJOR > MAJOR_MAXIMUM) {
            throw failed("server is Redis %s, supported are 6.2 to %d".formatted(version, MAJOR_MAXIMUM));
        }
        if (!state.text("role").equals("master")) {
            throw failed("server is a %s, whose writes come from another: take its master, %s:%s"
                    .formatted(state.text("role"), state.text("master_host"), state.text("master_port")));
        }
        if (state.yes("loading")) {
            throw failed("server is loading its data");
        }
        if (state.keepsAppendOnlyFile()) {
            refuseBroken(state, "aof_last_write_status", "writing its append-only file");
            // One that is being switched on becomes whole by its first rewrite only.
            refuseBroken(state, "aof_last_bgrewrite_status", "rewriting its append-only file");
        } else if (!settings.holdForSave()) {
            throw failed("server keeps no append-only file, so a cut would lack what was acknowledged since its last"
                    + " save: set appendonly yes there, or withoutAppendOnlyFile=holdForSave here, which holds writers for"
                    + " as long as a save takes");
        }
    }

    private void refuseBroken(ServerState state, String name, String what) throws ConsistencyException {
        if (!state.text(name).equals("ok")) {
            throw failed("server failed at %s (%s is %s): see its log".formatted(what, name, state.text(name)));
        }
    }

    /** 702 for {@code 7.2.4}; -1 for what is no version. */
    private static int version(String text) {
        var parts = text.split("\\.", -1);
        try {
            return parts.length < 2 ? -1 : Integer.parseInt(parts[0]) * NUMBERS_A_MAJOR + Integer.parseInt(parts[1]);
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        RedisSession session;
        try {
            session = RedisSession.open(settings);
        } catch (IOException e) {
            throw failed(reason(e));
        }
        boolean frozen = false;
        try {
            var state = quiet(session);
            refuseUnfit(state);
            refuseLongSave(state, limit);
            session.pause(Duration.ZERO);
            var result = new RedisFrozen(settings, session, state.keepsAppendOnlyFile(), facts(session, state));
            frozen = true;
            return result;
        } catch (IOException e) {
            throw failed(reason(e));
        } finally {
            if (!frozen) {
                session.close();
            }
        }
    }

    /** Waits until no rewrite and no save is under way: an append-only file that is being switched on is whole then. */
    private ServerState quiet(RedisSession session) throws ConsistencyException, IOException {
        long started = System.nanoTime();
        while (true) {
            var state = session.state();
            if (!state.forked()) {
                return state;
            }
            if (System.nanoTime() - started > settings.saveLimit().toNanos()) {
                throw failed("a save or a rewrite of the server did not end within %d ms (saveTimeoutMillis)"
                        .formatted(settings.saveLimit().toMillis()));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw failed("waiting for a save or a rewrite of the server was interrupted");
            }
        }
    }

    private void refuseLongSave(ServerState state, Duration limit) throws ConsistencyException {
        long lastSeconds = state.number("rdb_last_bgsave_time_sec");
        if (!state.keepsAppendOnlyFile() && Duration.ofSeconds(lastSeconds).compareTo(Frozen.holdingLimit(limit)) > 0) {
            throw failed("its last save took %d s, writers may be held for half of the freeze limit of %d ms"
                    .formatted(lastSeconds, limit.toMillis()));
        }
    }

    private static Map<String, String> facts(RedisSession session, ServerState state) throws IOException {
        var facts = new LinkedHashMap<String, String>();
        facts.put("version", state.text("redis_version"));
        facts.put("runId", state.text("run_id"));
        facts.put("appendOnlyFile", state.keepsAppendOnlyFile() ? "on" : "off");
        if (state.keepsAppendOnlyFile()) {
            facts.put("appendfsync", session.configured("appendfsync").orElse("hidden from the user"));
        }
        return facts;
    }

    private ConsistencyException failed(String reason) {
        return failed(settings, reason);
    }

    static ConsistencyException failed(RedisSettings settings, String reason) {
        return new ConsistencyException(
                new ConsistencyError.FreezeFailed(RedisSettings.KIND, settings.subject(), reason));
    }

    static String reason(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("no answer");
    }
}
