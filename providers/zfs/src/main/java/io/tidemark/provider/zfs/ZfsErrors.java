package io.tidemark.provider.zfs;

import io.tidemark.nativeblock.HostCallException;
import io.tidemark.provider.commands.CommandException;
import io.tidemark.provider.commands.Outcome;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;

/**
 * What a failure of ZFS means. The only place that matches text: the programs end with 1 whatever happened, and say
 * why in English (locale C). Source of the texts: {@code lib/libzfs/libzfs_util.c} of OpenZFS 2.1.
 */
final class ZfsErrors {
    private static final Duration BUSY_RETRY = Duration.ofSeconds(5);
    private static final int EACCES = 13;
    private static final int EDQUOT = 122;

    private ZfsErrors() {}

    /** @param doing the command line */
    static ProviderException of(String object, String doing, Outcome outcome) {
        return new ProviderException(error(object, doing, outcome));
    }

    private static ProviderError error(String object, String doing, Outcome outcome) {
        var said = outcome.stderr().toLowerCase(Locale.ROOT);
        if (said.contains("is busy")) {
            return new ProviderError.Busy(object, "a mount, a process or a send of this host", BUSY_RETRY);
        }
        if (said.contains("out of space")) {
            return new ProviderError.OutOfSpace(object, 0, 0);
        }
        if (said.contains("permission denied")) {
            return new ProviderError.Denied(object, "the right to " + doing);
        }
        return new ProviderError.Unexpected(doing, outcome.evidence());
    }

    static ProviderException of(String program, CommandException e) {
        return new ProviderException(
                new ProviderError.Unexpected(program, e.error().message()), e);
    }

    static ProviderException of(String object, String doing, HostCallException e) {
        return new ProviderException(
                switch (e.errno()) {
                    case HostCallException.EBUSY -> new ProviderError.Busy(object, "another work of ZFS", BUSY_RETRY);
                    case HostCallException.ENOSPC, EDQUOT -> new ProviderError.OutOfSpace(object, 0, 0);
                    case HostCallException.EPERM, EACCES -> new ProviderError.Denied(object, "the right to " + doing);
                    default -> new ProviderError.Unexpected(doing, String.valueOf(e.getMessage()));
                },
                e);
    }

    /** Of reading or writing a volume's device. */
    static ProviderException of(String doing, Path device, IOException e) {
        var said = String.valueOf(e.getMessage());
        return new ProviderException(
                e instanceof ClosedChannelException
                        ? new ProviderError.Unexpected(doing + " " + device, "it is closed")
                        : said.contains("No space left on device")
                                ? new ProviderError.OutOfSpace(device.toString(), 0, 0)
                                : new ProviderError.Unexpected(doing + " " + device, e.toString()),
                e);
    }

    static ProviderException busy(Object object, String holder) {
        return new ProviderException(new ProviderError.Busy(object.toString(), holder, BUSY_RETRY));
    }
}
