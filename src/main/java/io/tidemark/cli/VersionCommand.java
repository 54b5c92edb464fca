package io.tidemark.cli;

import io.tidemark.client.ClientException;
import io.tidemark.client.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "version", description = "Versions of this command and of the site it talks to.")
final class VersionCommand implements Callable<Integer> {
    @Mixin
    private SiteOptions site = new SiteOptions();

    @Option(names = "--client", description = "Do not ask the site.")
    private boolean clientOnly;

    @Override
    public Integer call() throws ClientException {
        Map<String, @Nullable Object> versions = new LinkedHashMap<>();
        versions.put("client", own());
        versions.put("java", System.getProperty("java.version"));
        if (!clientOnly) {
            versions.put("site", site.client().get("/v1/version").raw());
        }
        return site.show(Json.of(versions));
    }

    /** From the jar's manifest; a tree of classes has none. */
    static String own() {
        String version = VersionCommand.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
