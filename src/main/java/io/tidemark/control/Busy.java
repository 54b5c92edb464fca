package io.tidemark.control;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Short work of a request on objects that operations may be using: refused, not queued, when they are. */
final class Busy {
    private final Claims claims;
    private final AtomicLong counter = new AtomicLong();

    Busy(Claims claims) {
        this.claims = claims;
    }

    /** Ends the claim. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws ControlException InUse, naming the operation that stands in the way */
    Held hold(String kind, String id, List<Claim> wanted) throws ControlException {
        String holder = "request " + counter.incrementAndGet();
        var inTheWay = claims.tryAcquire(holder, wanted);
        if (inTheWay.isPresent()) {
            throw new ControlException(new ControlError.InUse(kind, id, inTheWay.orElseThrow()));
        }
        return () -> claims.release(holder);
    }
}
