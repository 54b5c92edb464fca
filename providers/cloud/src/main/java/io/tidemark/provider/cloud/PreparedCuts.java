package io.tidemark.provider.cloud;

import io.tidemark.spi.CutRequest;
import io.tidemark.spi.RecoveryPointId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the preparations of cuts have found, until their cuts take it. Of those that were prepared and never cut it
 * forgets the oldest: a cut without a plan looks for itself.
 *
 * @param <P> a plan of the provider's
 */
public final class PreparedCuts<P> {
    static final int PLANS_MAXIMUM = 1_000;

    private record Prepared<P>(CutRequest request, P plan) {}

    /** Guarded by itself. */
    private final Map<RecoveryPointId, Prepared<P>> plans = new LinkedHashMap<>();

    /** In place of an earlier one of the recovery point. */
    public void keep(CutRequest request, P plan) {
        synchronized (plans) {
            plans.put(request.recoveryPoint(), new Prepared<>(request, plan));
            if (plans.size() > PLANS_MAXIMUM) {
                plans.remove(plans.keySet().iterator().next());
            }
        }
    }

    /** Kept no more; empty where none is, or it was of another request for the recovery point. */
    public Optional<P> take(CutRequest request) {
        synchronized (plans) {
            return Optional.ofNullable(plans.remove(request.recoveryPoint()))
                    .filter(each -> each.request().equals(request))
                    .map(Prepared::plan);
        }
    }
}
