package io.tidemark.provider.devices;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.spi.ProviderError;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class DeviceErrorsTest {
    private static final Path DEVICE = Path.of("/dev/x");

    private static ProviderError of(IOException failure) {
        return DeviceErrors.of("writing to", DEVICE, failure).error();
    }

    @Test
    void eachIsToldByWhatItIsOf() {
        assertThat(of(new IOException("No space left on device"))).isInstanceOf(ProviderError.OutOfSpace.class);
        assertThat(of(new AccessDeniedException("/dev/x"))).isInstanceOf(ProviderError.Denied.class);
        assertThat(DeviceErrors.of("writing to", DEVICE, new ClosedChannelException()))
                .hasMessageContainingAll("writing to /dev/x", "it is closed");
        assertThat(DeviceErrors.of("writing to", DEVICE, new IOException("Input/output error")))
                .hasMessageContainingAll("writing to /dev/x", "Input/output error");
    }
}
