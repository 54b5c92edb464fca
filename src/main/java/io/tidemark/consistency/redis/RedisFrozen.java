package io.tidemark.consistency.redis;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.redis.RedisSession.ServerState;
import io.tidemark.domain.Certificate;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A server that is ready to be paused, then paused, on its one session. */
final class RedisFrozen implements Frozen {
    /** Writers are held meanwhile, so it is short. */
    private static final long ASK_EVERY_MILLIS = 2;

    private final RedisSettings settings;
    private final RedisSession session;
    private final boolean appendOnly;
    private final Map<String, String> facts;
    private @Nullable Hold hold;
    private @Nullable Release release;

    /** @param appendOnly whether it kept an append-only file that was whole, once no rewrite was under way */
    RedisFrozen(RedisSettings settings, RedisSession session, boolean appendOnly, Map<String, String> facts) {
        this.settings = settings;
        this.session = session;
        this.appendOnly = appendOnly;
        this.facts = new LinkedHashMap<>(facts);
    }

    /** @param state of the server once all that it had acknowledged was written */
    private record Hold(long requestedNanos, long acknowledgedNanos, Duration limit, ServerState state) {}

    @Override
    public void hold(Duration limit) throws ConsistencyException {
        long requested = System.nanoTime();
        var part = Frozen.holdingLimit(limit);
        boolean held = false;
        try {
            session.answerWithin(part.compareTo(settings.answerLimit()) < 0 ? part : settings.answerLimit());
            session.pause(limit);
            if (session.state().keepsAppendOnlyFile() != appendOnly) {
                throw RedisQuiescer.failed(
                        settings,
                        "its append-only file was switched %s meanwhile".formatted(appendOnly ? "off" : "on"));
            }
            var state = appendOnly
                    ? awaited(requested, part, RedisFrozen::nothingBuffered, "its append-only file was not written")
                    : saved(requested, part);
            session.answerWithin(settings.answerLimit());
            hold = new Hold(requested, System.nanoTime(), limit, state);
            facts.put("replicationOffset", state.text("master_repl_offset"));
            held = true;
        } catch (IOException e) {
            throw RedisQuiescer.failed(settings, RedisQuiescer.reason(e));
        } finally {
            if (!held) {
                unpause();
            }
        }
    }

    private static boolean nothingBuffered(ServerState state) {
        return state.number("aof_buffer_length") == 0
                && state.text("aof_last_write_status").equals("ok");
    }

    private ServerState saved(long started, Duration limit) throws ConsistencyException, IOException {
        // One that began before the pause lacks what was written since.
        awaited(started, limit, state -> !state.yes("rdb_bgsave_in_progress"), "a save was under way");
        session.save();
        var state = awaited(started, limit, now -> !now.yes("rdb_bgsave_in_progress"), "the save did not end");
        if (!state.text("rdb_last_bgsave_status").equals("ok") || state.number("rdb_changes_since_last_save") != 0) {
            throw RedisQuiescer.failed(
                    settings,
                    "the save failed (rdb_last_bgsave_status is %s, rdb_changes_since_last_save is %s): see its log"
                            .formatted(
                                    state.text("rdb_last_bgsave_status"), state.text("rdb_changes_since_last_save")));
        }
        return state;
    }

    private ServerState awaited(long started, Duration limit, Predicate<ServerState> wanted, String failure)
            throws ConsistencyException, IOException {
        while (true) {
            var state = session.state();
            if (wanted.test(state)) {
                return state;
            }
            if (System.nanoTime() - started > limit.toNanos()) {
                throw RedisQuiescer.failed(
                        settings,
                        "%s within %d ms of holding its writers, half of the freeze limit"
                                .formatted(failure, limit.toMillis()));
            }
            try {
                TimeUnit.MILLISECONDS.sleep(ASK_EVERY_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw RedisQuiescer.failed(settings, "waiting for the server was interrupted");
            }
        }
    }

    /**
     * The pause cannot be asked for, but its effect can: within its limit the server has written nothing since. A pause
     * that somebody lifted, or a clock that jumped, shows as soon as anyone wrote.
     */
    @Override
    public boolean heldUntilNow() {
        var held = hold;
        if (release != null || held == null) {
            return false;
        }
        try {
            return untouched(held.state(), session.state())
                    && System.nanoTime() - held.requestedNanos() < held.limit().toNanos();
        } catch (IOException e) {
            // Whatever the reason, a server that does not answer proves nothing.
            return false;
        }
    }

    private static boolean untouched(ServerState then, ServerState now) {
        boolean sameServer = then.text("run_id").equals(now.text("run_id"))
                && then.text("aof_enabled").equals(now.text("aof_enabled"))
                && now.text("role").equals("master");
        boolean nothingAppended = then.keepsAppendOnlyFile()
                && nothingBuffered(now)
                && then.number("aof_current_size") == now.number("aof_current_size");
        // A rewrite that ends meanwhile makes the file shorter without anyone having written.
        boolean nothingChanged = then.number("rdb_changes_since_last_save") >= 0
                && then.number("rdb_changes_since_last_save") == now.number("rdb_changes_since_last_save")
                && then.text("rdb_last_save_time").equals(now.text("rdb_last_save_time"));
        return sameServer && (nothingAppended || nothingChanged);
    }

    @Override
    public Release thaw() {
        if (release == null) {
            try {
                release = end();
            } finally {
                session.close();
            }
        }
        return release;
    }

    private Release end() {
        var held = hold;
        if (held == null) {
            return Release.NOTHING;
        }
        long thawed = System.nanoTime();
        unpause();
        return new Release(
                List.of(new Certificate.Freeze(
                        RedisSettings.KIND,
                        settings.subject(),
                        held.requestedNanos(),
                        held.acknowledgedNanos(),
                        thawed,
                        System.nanoTime(),
                        true,
                        facts)),
                Map.of());
    }

    /** On a new connection where this one is broken; where none is to be had the server ends the pause at its limit. */
    private void unpause() {
        try {
            session.unpause();
        } catch (IOException first) {
            try (var another = RedisSession.open(settings)) {
                another.unpause();
            } catch (IOException e) {
                facts.put("unpauseError", RedisQuiescer.reason(e) + "; the pause ends at the freeze limit");
            }
        }
    }
}
