package io.tidemark.provider.lvm;

import io.tidemark.nativeblock.DeviceMapper;
import io.tidemark.nativeblock.HostCallException;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.time.Duration;
import java.util.Locale;

/** What it means that the device mapper did not cut. */
final class CutErrors {
    private static final Duration RETRY = Duration.ofSeconds(1);

    private CutErrors() {}

    /** Of a call to the device mapper before it has done anything. */
    static ProviderException untried(String group, IOException failure) {
        int errno = failure instanceof HostCallException e ? e.errno() : 0;
        return new ProviderException(
                switch (errno) {
                    case HostCallException.EACCES, HostCallException.EPERM ->
                        new ProviderError.Denied("volume group " + group, "root, for the device mapper");
                    case HostCallException.EAGAIN ->
                        new ProviderError.Busy(
                                "volume group " + group,
                                "want of a process that resumes volumes if this one dies: see ulimit -u, pids.max",
                                RETRY);
                    default -> new ProviderError.Unexpected("cutting in group " + group, failure.toString());
                },
                failure);
    }

    /**
     * Of one volume.
     *
     * @param origin its device
     * @param other the device of its pool, or of its classic snapshot
     */
    static ProviderError of(String origin, String other, DeviceMapper.CutOutcome outcome) {
        boolean ofPool = switch (outcome.failed()) {
            case CREATE, POOL, RESET, MARK -> true;
            case NONE, CHECK, SUSPEND, RESUME, HELD -> false;
        };
        var device = ofPool ? other : origin;
        if (outcome.errno() == HostCallException.EBUSY) {
            return new ProviderError.Busy(device, "another program that changes its mapping", RETRY);
        }
        if (outcome.errno() == HostCallException.ESTALE) {
            var reason = outcome.failed() == DeviceMapper.Step.HELD
                    ? "another program resumed a volume during the cut; cut again"
                    : "changed since it was prepared; prepare again";
            return new ProviderError.Conflict(device, reason);
        }
        if (ofPool && outcome.errno() == HostCallException.ENOSPC) {
            return new ProviderError.OutOfSpace(device, 0, 1);
        }
        var step = outcome.failed().name().toLowerCase(Locale.ROOT);
        return new ProviderError.Unexpected(
                "step %s of cutting, on device %s,".formatted(step, device), "errno " + outcome.errno());
    }
}
