package io.tidemark.control;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps work on one object apart. All claims of one holder are granted together or not at all, so holders never wait
 * for each other in a circle; first come, first served among those that want the same.
 *
 * <p>Guarded by {@code lock}.
 */
final class Claims {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private final Map<String, Set<String>> holdersByKey = new HashMap<>();
    private final Map<String, List<Claim>> claimsByHolder = new HashMap<>();
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private long nextTicket;

    /** @param ticket order of arrival */
    private record Waiting(long ticket, String holder, List<Claim> claims) {}

    /** Waits until all claims can be granted. */
    void acquire(String holder, List<Claim> claims) throws InterruptedException {
        lock.lockInterruptibly();
        var waiting = new Waiting(nextTicket++, holder, claims);
        try {
            queue.addLast(waiting);
            while (blockedBy(waiting).isPresent()) {
                released.await();
            }
            grant(holder, claims);
        } finally {
            queue.remove(waiting);
            released.signalAll();
            lock.unlock();
        }
    }

    /** Grants them now, or answers a holder that stands in the way. */
    Optional<String> tryAcquire(String holder, List<Claim> claims) {
        lock.lock();
        try {
            var inTheWay = heldBy(claims);
            if (inTheWay.isEmpty()) {
                grant(holder, claims);
            }
            return inTheWay;
        } finally {
            lock.unlock();
        }
    }

    void release(String holder) {
        lock.lock();
        try {
            var claims = claimsByHolder.remove(holder);
            if (claims == null) {
                return;
            }
            for (var claim : claims) {
                holdersByKey.computeIfPresent(claim.key(), (key, holders) -> {
                    holders.remove(holder);
                    holders.remove(exclusively(holder));
                    return holders.isEmpty() ? null : holders;
                });
            }
            released.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private Optional<String> blockedBy(Waiting waiting) {
        for (var earlier : queue) {
            if (earlier.ticket() == waiting.ticket()) {
                break;
            }
            if (wantTheSame(earlier.claims(), waiting.claims())) {
                return Optional.of(earlier.holder());
            }
        }
        return heldBy(waiting.claims());
    }

    private static boolean wantTheSame(List<Claim> left, List<Claim> right) {
        return left.stream()
                .anyMatch(one -> right.stream()
                        .anyMatch(other -> one.key().equals(other.key()) && (one.exclusive() || other.exclusive())));
    }

    private Optional<String> heldBy(List<Claim> claims) {
        for (var claim : claims) {
            for (var holder : holdersByKey.getOrDefault(claim.key(), Set.of())) {
                boolean heldAlone = holder.startsWith(ALONE);
                if (claim.exclusive() || heldAlone) {
                    return Optional.of(heldAlone ? holder.substring(ALONE.length()) : holder);
                }
            }
        }
        return Optional.empty();
    }

    private void grant(String holder, List<Claim> claims) {
        for (var claim : claims) {
            holdersByKey
                    .computeIfAbsent(claim.key(), key -> new HashSet<>())
                    .add(claim.exclusive() ? exclusively(holder) : holder);
        }
        claimsByHolder.put(holder, List.copyOf(claims));
    }

    /** Marks an exclusive holder; no holder's name begins with it. */
    private static final String ALONE = "!";

    private static String exclusively(String holder) {
        return ALONE + holder;
    }
}
