package io.tidemark.export;

import io.tidemark.agent.Providers;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.VolumeWriter;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/** Provider {@code file}, whose volumes close no sooner than they are let. */
public final class SlowStorage {
    private final CountDownLatch mayClose = new CountDownLatch(1);

    public Providers providers() {
        var provider = (StorageProvider) Proxy.newProxyInstance(
                SlowStorage.class.getClassLoader(),
                new Class<?>[] {StorageProvider.class},
                (_, method, _) -> method.getName().equals("name") ? "file" : writer());
        return new Providers(List.of(provider));
    }

    private VolumeWriter writer() {
        return (VolumeWriter) Proxy.newProxyInstance(
                SlowStorage.class.getClassLoader(), new Class<?>[] {VolumeWriter.class}, (_, method, _) -> {
                    if (method.getName().equals("close")) {
                        mayClose.await();
                    }
                    return switch (method.getName()) {
                        case "path" -> Optional.empty();
                        case "sizeBytes" -> 4_096L;
                        case "flushesBesideWrites" -> false;
                        default -> null;
                    };
                });
    }

    public void letClose() {
        mayClose.countDown();
    }
}
