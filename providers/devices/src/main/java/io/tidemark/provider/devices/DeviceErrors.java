package io.tidemark.provider.devices;

import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;

/** What it means that a volume's device was not read or written. */
final class DeviceErrors {
    /** The JDK hands ENOSPC on as the C library's text alone. */
    private static final String NO_SPACE = "No space left on device";

    private DeviceErrors() {}

    /** @param doing a word or two, as {@code reading} */
    static ProviderException of(String doing, Path device, IOException failure) {
        var operation = doing + " " + device;
        return new ProviderException(
                switch (failure) {
                    case ClosedChannelException e -> new ProviderError.Unexpected(operation, "it is closed");
                    case AccessDeniedException e -> new ProviderError.Denied(operation, "rights on " + device);
                    case IOException e
                    when String.valueOf(e.getMessage()).contains(NO_SPACE) ->
                        new ProviderError.OutOfSpace(device.toString(), 0, 0);
                    default -> new ProviderError.Unexpected(operation, failure.toString());
                },
                failure);
    }
}
