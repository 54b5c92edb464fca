package io.tidemark.live;

import io.tidemark.agent.Providers;
import io.tidemark.agent.SiteCatalog;
import io.tidemark.export.Exports;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.replication.port.PeerConnector;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What live copies share on a host.
 *
 * @param providers of this host
 * @param calls tells where files have holes, and makes them
 * @param nanos monotonic
 * @param random generations
 * @param fingerprint of this site's key
 * @param software name and version, told to peers
 */
public record LiveHostParts(
        Providers providers,
        SiteCatalog catalog,
        PeerConnector connector,
        Exports exports,
        Optional<HostCalls> calls,
        BlockKernel kernel,
        InstantSource clock,
        LongSupplier nanos,
        LongSupplier random,
        String fingerprint,
        String software) {}
