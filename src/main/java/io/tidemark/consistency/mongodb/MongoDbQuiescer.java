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

/**
 * Has a server's journal hold all that it had acknowledged, right before the cut, and knows the server again after it.
 * No writer is held: data files and journal are cut in one instant, so WiredTiger makes of a copy what it makes of its
 * files after a power failure, with nothing that was journaled missing. Sources: MongoDB manual, "Journaling" and "Back
 * Up and Restore with Filesystem Snapshots".
 */
final class MongoDbQuiescer implements Quiescer {
    private final MongoDbSettings settings;
    private final MongoDbFailures failures;

    MongoDbQuiescer(MongoDbSettings settings) {
        this.settings = settings;
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
            warnings.addAll(server.warnings());
            WriteDurability.mayMiss(session, server).ifPresent(warnings::add);
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
        if (server.member().isEmpty() && !session.may(MongoDbFrozen.CHECKPOINT)) {
            throw failures.of("user %s may not fsync, by which a server in no replica set has its journal written; the"
                            .formatted(settings.user().orElse("none"))
                    + " rights it needs: tidemark quiesce explain mongodb");
        }
        return server;
    }

    @Override
    public Frozen freeze(RecoveryPointId recoveryPoint, Duration limit) throws ConsistencyException {
        MongoDbSession session;
        try {
            session = MongoDbSession.open(settings);
        } catch (IOException e) {
            throw failures.of(e);
        }
        boolean frozen = false;
        try {
            var server = described(session);
            if (server.member().isEmpty()) {
                // A long one now, for the one within the hold to be short.
                var unused = session.ask(MongoDbFrozen.CHECKPOINT, settings.flushLimit());
            }
            var result = new MongoDbFrozen(session, settings, failures, server);
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
}
