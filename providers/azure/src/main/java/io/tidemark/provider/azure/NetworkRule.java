package io.tidemark.provider.azure;

import com.azure.resourcemanager.compute.models.NetworkAccessPolicy;
import com.azure.resourcemanager.compute.models.PublicNetworkAccess;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * From where a signature for something opens its bytes (Compute's REST reference, NetworkAccessPolicy and
 * PublicNetworkAccess). Cuts, copies and clones do not mind.
 *
 * @param isClosed whether from nowhere: it is not exported at all
 * @param privately through what alone, for who does not come from there is refused; empty: from everywhere
 */
record NetworkRule(boolean isClosed, Optional<String> privately) {
    static final NetworkRule OPEN = new NetworkRule(false, Optional.empty());

    static NetworkRule of(
            @Nullable NetworkAccessPolicy policy, @Nullable PublicNetworkAccess publicly, @Nullable String diskAccess) {
        if (NetworkAccessPolicy.DENY_ALL.equals(policy)) {
            return new NetworkRule(true, Optional.empty());
        }
        if (NetworkAccessPolicy.ALLOW_PRIVATE.equals(policy)) {
            return new NetworkRule(
                    false, Optional.of("the private endpoint of its disk access %s".formatted(diskAccess)));
        }
        return PublicNetworkAccess.DISABLED.equals(publicly)
                ? new NetworkRule(false, Optional.of("a private network, for its publicNetworkAccess is Disabled"))
                : OPEN;
    }

    /** What a reader lacks whom the storage refuses though its signature was given a moment ago. */
    String lacking() {
        return privately
                .map(way -> "to be read through %s: run the service where that is, or allow all".formatted(way))
                .orElse("a signature that Azure does not refuse");
    }
}
