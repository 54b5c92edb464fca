package io.tidemark.consistency.mongodb;

import io.tidemark.consistency.ApplicationPlaces;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Frozen;
import io.tidemark.consistency.MountTable;
import io.tidemark.consistency.Quiescer;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.Volume;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Has a server's journal hold all that it had acknowledged, right before the cut, and knows the server again after
 * it; or holds its writers meanwhile, where that is wanted. No writer need be: data files and journal are cut in one
 * instant, so WiredTiger makes of a copy what it makes of its files after a power failure, with nothing that was
 * journaled missing. Sources: MongoDB manual, "Journaling" and "Back Up and Restore with Filesystem Snapshots".
 */
final class MongoDbQuiescer implements Quiescer {
    private final MongoDbSettings settings;
    private final Map<String, String> written;
    private final MongoDbFailures failures;
    private final LockJournal journal;
    private final UnlockAfterwards afterwards;

    /** @param written the settings as the user wrote them */
    MongoDbQuiescer(
            MongoDbSettings settings, Map<String, String> written, LockJournal journal, UnlockAfterwards afterwards) {
        this.settings = settings;
        this.written = Map.copyOf(written);
        this.journal = journal;
        this.afterwards = afterwards;
        this.failures = new MongoDbFailures(settings.subject());
    }

    @Override
    public String kind() {
        return MongoDbSettings.KIND;
    }

    @Override
    public String subject() {
        return settings.subject();
    }

    @Override
    public Check check(List<Volume> volumes) throws ConsistencyException {
        try (var session = MongoDbSession.open(settings)) {
            var server = described(session);
            var places = settings.local()
                    ? new MongoDbPlaces(new ApplicationPlaces(MountTable.read())).find(server.options(), volumes)
                    : ApplicationPlaces.Finding.elsewhere();
            if (places.outside().isPresent()) {
                throw failures.of(places.outside().get());
            }
            var warnings = new ArrayList<>(places.unverified());
            warnings.addAll(server.warnings(settings.router().isPresent()));
            if (balancer().isPresent()) {
                balancer().get().requireRest();
            }
            if (!settings.locks()) {
                WriteDurability.mayMiss(session, server)
                        .map(warning -> warning + " (mode=fsyncLock would hold the writers)")
                        .ifPresent(warnings::add);
            } else if (LockState.of(session, settings.answerLimit()).locked()) {
                warnings.add("server is locked now: a recovery point would be refused unless this service left it so");
            }
            return new Check(warnings);
        } catch (IOException e) {
            throw failures.of(e);
        }
    }

    private ServerDescription described(MongoDbSession session) throws ConsistencyException, IOException {
        var server = ServerDescription.of(session);
        var unfit = server.unfit();
        if (unfit.isPresent()) {
            throw failures.of(unfit.get());
        }
        if (server.member().isEmpty() && !settings.locks()) {
            requireRight(session, FsyncLock.TAKE, "by which a server in no replica set has its journal written");
        } else if (settings.locks()) {
            requireRight(session, FsyncLock.TAKE, "by which its writers are held");
            requireRight(session, FsyncLock.RELEASE_RIGHT, "by which they are let go");
        }
        return server;
    }

    private void requireRight(MongoDbSession session, String action, String purpose)
            throws ConsistencyException, IOException {
        if (!session.may(action)) {
            throw failures.of("user %s may not %s, %s; the rights it needs: tidemark quiesce explain mongodb"
                    .formatted(settings.user().orElse("none"), action, purpose));
        }
    }

    private Optional<Balancer> balancer() {
        return settings.router().map(router -> new Balancer(settings.at(router), failures));
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        var balancer = balancer();
        return balancer.isPresent()
                ? balancer.get().whileItRests(() -> freezeServer(recoveryPoint))
                : freezeServer(recoveryPoint);
    }

    private Frozen freezeServer(RecoveryPointId recoveryPoint) throws ConsistencyException {
        MongoDbSession session;
        try {
            if (settings.locks()) {
                if (afterwards.owes(settings.subject())) {
                    throw failures.of("server is not known to be unlocked since the freeze before: that is tried until"
                            + " it answers, see database_not_unlocked in the log");
                }
                new LeftLocked(journal).unlock(settings);
                afterwards.lookAgain();
            }
            session = MongoDbSession.open(settings);
        } catch (IOException e) {
            throw failures.of(e);
        }
        boolean frozen = false;
        try {
            var server = described(session);
            var result =
                    settings.locks() ? freezeToLock(session, server, recoveryPoint) : freezeToJournal(session, server);
            frozen = true;
            return result;
        } catch (IOException e) {
            throw failures.of(e);
        } finally {
            if (!frozen) {
                session.close();
            }
        }
    }

    private Frozen freezeToJournal(MongoDbSession session, ServerDescription server) throws IOException {
        if (server.member().isEmpty()) {
            // A long one now, for the one within the hold to be short.
            var unused = session.ask(MongoDbFrozen.CHECKPOINT, settings.flushLimit());
        }
        return new MongoDbFrozen(session, settings, failures, server);
    }

    private Frozen freezeToLock(MongoDbSession session, ServerDescription server, RecoveryPointId recoveryPoint)
            throws ConsistencyException, IOException {
        if (LockState.of(session, settings.answerLimit()).locked()) {
            throw failures.of(MongoDbLocked.SOMEBODY_ELSES);
        }
        var keeper = LockKeeper.start(settings, written);
        boolean ready = false;
        try {
            // While it starts. A long one now, for the one within the lock to be short.
            var unused = session.ask(MongoDbFrozen.CHECKPOINT, settings.flushLimit());
            var state = LockState.of(session, settings.answerLimit());
            if (state.fsyncs() == 0) {
                throw failures.of(
                        "server does not count its commands (serverStatus, metrics.commands.fsync), by which it"
                                + " would be known whether its lock has lasted");
            }
            if (!keeper.awaitReady(settings.connectLimit()).equals(state.process())) {
                throw failures.of("two connections reach two servers: is there something between?");
            }
            ready = true;
            return new MongoDbLocked(
                    new MongoDbLocked.Parts(session, settings, failures, server, keeper, journal, afterwards),
                    recoveryPoint,
                    written);
        } finally {
            if (!ready) {
                keeper.close();
            }
        }
    }
}
