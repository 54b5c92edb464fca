package io.tidemark.control;

import io.tidemark.control.port.ExportHost;
import io.tidemark.domain.Export;
import io.tidemark.domain.ExportId;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Exports of the process before this one that are not open yet, for their storage may only be away: asked for until they
 * are, or removed. Each keeps its claim meanwhile: a client that waits for it will write again what it wrote last, and
 * must not find the volume rolled back.
 */
final class AwayExports {
    static final Duration EVERY = Duration.ofSeconds(10);
    /** Of a start. */
    static final Duration FIRST_LIMIT = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(AwayExports.class);

    private final ExportHost host;
    private final Claims claims;
    /** Guarded by itself, not held while storage is asked. */
    private final Map<ExportId, Waiting> waiting = new HashMap<>();

    private final ReentrantLock looking = new ReentrantLock();
    private @Nullable Thread thread;

    /** An export, and how far it has come. */
    private static final class Waiting {
        private final Export export;
        private boolean claimed;
        private boolean opening;
        private String told = "";

        Waiting(Export export) {
            this.export = export;
        }
    }

    AwayExports(ExportHost host, Claims claims) {
        this.host = host;
        this.claims = claims;
    }

    static String holder(ExportId id) {
        return "export " + id;
    }

    /** Claims all that was kept, and opens what can be opened soon: a cloud that is away does not hold up a start. */
    void begin() throws InterruptedException {
        synchronized (waiting) {
            for (var export : host.kept()) {
                var each = new Waiting(export);
                waiting.put(export.id(), each);
                claim(each);
            }
        }
        if (!Thread.ofVirtual().name("away-exports-first").start(this::look).join(FIRST_LIMIT)) {
            LOG.warn("export.opening_goes_on waited={}", FIRST_LIMIT);
        }
    }

    /** Empty where it has its claim now. */
    private Optional<String> claim(Waiting each) {
        try {
            if (!each.claimed) {
                var inTheWay = claims.tryAcquire(holder(each.export.id()), List.of(claim(each.export)));
                each.claimed = inTheWay.isEmpty();
                return inTheWay.map(other -> "it is used by " + other);
            }
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    private static Claim claim(Export export) {
        return export.access() == Export.Access.WRITABLE
                ? Claim.writing(new VolumeId(export.source()))
                : Claim.shared(SnapshotId.parse(export.source()).recoveryPoint());
    }

    /** Tries each once. */
    void look() {
        looking.lock();
        try {
            List<Waiting> all;
            synchronized (waiting) {
                all = List.copyOf(waiting.values());
            }
            all.forEach(this::open);
        } finally {
            looking.unlock();
        }
    }

    private void open(Waiting each) {
        var id = each.export.id();
        synchronized (waiting) {
            if (waiting.get(id) != each) {
                return;
            }
            var inTheWay = claim(each);
            if (inTheWay.isPresent()) {
                tell(each, inTheWay.get());
                return;
            }
            each.opening = true;
        }
        boolean open = false;
        try {
            host.open(each.export);
            open = true;
        } catch (ProviderException | RuntimeException e) {
            tell(each, String.valueOf(e.getMessage()));
        }
        endOpening(each, open);
    }

    private void endOpening(Waiting each, boolean open) {
        var id = each.export.id();
        boolean removed;
        synchronized (waiting) {
            each.opening = false;
            removed = waiting.get(id) != each;
            if (open) {
                waiting.remove(id, each);
            }
        }
        if (!removed) {
            return;
        }
        try {
            if (!open || host.close(id, () -> claims.release(holder(id))) == ExportHost.Closing.NONE) {
                claims.release(holder(id));
            }
        } catch (InterruptedException e) {
            // It goes on ending.
            Thread.currentThread().interrupt();
        }
    }

    private static void tell(Waiting each, String reason) {
        if (!reason.equals(each.told)) {
            each.told = reason;
            LOG.warn(
                    "export.not_opened_again export={} source={} reason={} next={}",
                    each.export.id(),
                    each.export.source(),
                    reason,
                    EVERY);
        }
    }

    List<ExportHost.Open> all() {
        synchronized (waiting) {
            return waiting.values().stream()
                    .map(each -> ExportHost.Open.away(each.export))
                    .toList();
        }
    }

    Optional<ExportHost.Open> find(ExportId id) {
        synchronized (waiting) {
            return Optional.ofNullable(waiting.get(id)).map(each -> ExportHost.Open.away(each.export));
        }
    }

    /** Gives it up, and its claim; false where it is not away. */
    boolean remove(ExportId id) {
        synchronized (waiting) {
            var removed = waiting.remove(id);
            if (removed != null && removed.claimed && !removed.opening) {
                claims.release(holder(id));
            }
            return removed != null;
        }
    }

    synchronized void start() {
        thread = Thread.ofVirtual().name("away-exports").start(this::loop);
    }

    private void loop() {
        while (true) {
            try {
                Thread.sleep(EVERY);
                look();
            } catch (InterruptedException stop) {
                return;
            } catch (RuntimeException failure) {
                LOG.error("export.look_failed", failure);
            }
        }
    }

    /** Does nothing where it was not started. */
    synchronized void stop() {
        if (thread != null) {
            thread.interrupt();
        }
    }
}
