package io.tidemark.provider.devices;

import io.tidemark.spi.VolumeId;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

/** One lock a volume: whatever changes a volume's names or bytes on disk holds it. Taken in order of id. */
public final class VolumeLocks {
    private final ConcurrentHashMap<VolumeId, ReentrantLock> locks = new ConcurrentHashMap<>();

    /** Locks held until closed, by the thread that took them. */
    public static final class Held implements AutoCloseable {
        private final Deque<ReentrantLock> held = new ArrayDeque<>();

        @Override
        public void close() {
            while (!held.isEmpty()) {
                held.pop().unlock();
            }
        }
    }

    public Held hold(Collection<VolumeId> volumes) {
        var held = new Held();
        for (var volume : new TreeSet<>(volumes)) {
            var lock = locks.computeIfAbsent(volume, id -> new ReentrantLock());
            lock.lock();
            held.held.push(lock);
        }
        return held;
    }
}
