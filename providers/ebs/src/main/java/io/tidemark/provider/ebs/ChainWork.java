package io.tidemark.provider.ebs;

import io.tidemark.provider.cloud.Attempts;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** The uploads in the background: one virtual thread a chain, as long as that has something to upload. */
final class ChainWork implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ChainWork.class.getName());

    /** Amazon completes a snapshot some time after its last block. */
    private static final Duration WAIT = Duration.ofSeconds(5);

    private static final Duration PAUSE_FIRST = Duration.ofSeconds(1);
    private static final Duration PAUSE_MAXIMUM = Duration.ofMinutes(1);
    private static final Duration CLOSE_WITHIN = Duration.ofSeconds(10);

    private final ChainUploads uploads;
    private final Attempts.Sleeper sleeper;
    private final Map<VolumeId, Worker> workers = new HashMap<>();
    private boolean closed;

    private static final class Worker {
        private final Thread thread;
        /** Something was cut or deleted since the worker looked. */
        private boolean again;

        private boolean stopped;

        Worker(Thread thread) {
            this.thread = thread;
        }
    }

    ChainWork(ChainUploads uploads, Attempts.Sleeper sleeper) {
        this.uploads = uploads;
        this.sleeper = sleeper;
    }

    /** The chain has, perhaps, something to do. */
    synchronized void kick(Chain chain) {
        if (closed) {
            return;
        }
        var running = workers.get(chain.id());
        if (running != null) {
            running.again = true;
            return;
        }
        var thread = Thread.ofVirtual().name("ebs-upload-" + chain.id()).unstarted(() -> work(chain));
        workers.put(chain.id(), new Worker(thread));
        thread.start();
    }

    /** Ends the chain's worker, and starts no other until {@link #resume}. */
    void stop(Chain chain) {
        Worker worker;
        synchronized (this) {
            worker = workers.computeIfAbsent(
                    chain.id(), id -> new Worker(Thread.ofVirtual().unstarted(() -> {})));
            worker.stopped = true;
        }
        end(worker.thread);
    }

    void resume(Chain chain) {
        synchronized (this) {
            workers.remove(chain.id());
        }
        kick(chain);
    }

    private static void end(Thread thread) {
        thread.interrupt();
        try {
            if (thread.getState() != Thread.State.NEW) {
                var unused = thread.join(CLOSE_WITHIN);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void work(Chain chain) {
        var pause = PAUSE_FIRST;
        try {
            while (goesOn(chain)) {
                try {
                    var outcome = uploads.step(chain);
                    pause = PAUSE_FIRST;
                    if (outcome == ChainUploads.Outcome.WAIT) {
                        sleeper.sleep(WAIT);
                    } else if (outcome == ChainUploads.Outcome.IDLE && endsHere(chain)) {
                        return;
                    }
                } catch (ProviderException e) {
                    uploads.failed(chain, e.error());
                    sleeper.sleep(e.error() instanceof ProviderError.Busy busy ? max(pause, busy.retryAfter()) : pause);
                    pause = max(PAUSE_FIRST, min(pause.multipliedBy(2), PAUSE_MAXIMUM));
                } catch (RuntimeException | Error e) {
                    LOG.log(System.Logger.Level.ERROR, () -> "upload of %s, gone on with".formatted(chain.id()), e);
                    uploads.failed(chain, new ProviderError.Unexpected("upload of " + chain.id(), e.toString()));
                    sleeper.sleep(PAUSE_MAXIMUM);
                }
            }
        } catch (InterruptedException e) {
            // Asked to end; what is recorded is gone on from.
            return;
        } finally {
            left(chain);
        }
    }

    /** So that the next kick starts another; but not while whoever has stopped this one has its place. */
    private synchronized void left(Chain chain) {
        var worker = workers.get(chain.id());
        if (worker != null && worker.thread == Thread.currentThread() && !worker.stopped) {
            workers.remove(chain.id());
        }
    }

    private synchronized boolean goesOn(Chain chain) {
        var worker = workers.get(chain.id());
        if (closed || worker == null || worker.stopped || Thread.currentThread().isInterrupted()) {
            return false;
        }
        worker.again = false;
        return true;
    }

    private synchronized boolean endsHere(Chain chain) {
        var worker = workers.get(chain.id());
        if (worker == null || worker.stopped) {
            return true;
        }
        if (worker.again) {
            return false;
        }
        workers.remove(chain.id());
        return true;
    }

    private static Duration max(Duration left, Duration right) {
        return left.compareTo(right) > 0 ? left : right;
    }

    private static Duration min(Duration left, Duration right) {
        return left.compareTo(right) < 0 ? left : right;
    }

    @Override
    public void close() {
        Map<VolumeId, Worker> ending;
        synchronized (this) {
            closed = true;
            ending = new HashMap<>(workers);
        }
        ending.values().forEach(each -> each.thread.interrupt());
        ending.values().forEach(each -> end(each.thread));
    }
}
