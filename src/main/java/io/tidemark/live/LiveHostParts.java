package io.tidemark.live;

import io.tidemark.agent.Providers;
import io.tidemark.agent.SiteCatalog;
import io.tidemark.export.Exports;
import io.tidemark.nativeblock.BlockKernel;
import io.tidemark.nativeblock.HostCalls;
import io.tidemark.replication.port.PeerConnector;
import io.tidemark.spi.VolumeId;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What live copies share on a host.
 *
 * @param providers of this host
 * @param linkTargets volumes of this host that links write, or are about to, which nobody else may
 * @param calls tells where files have holes, and makes them
 * @param nanos monotonic
 * @param random generations
 * @param fingerprint of this site's key
 * @param software name and version, told to peers
 */
public record LiveHostParts(
        Providers providers,
        SiteCatalog catalog,
        Supplier<Set<VolumeId>> linkTargets,
        PeerConnector connector,
        Exports exports,
        Optional<HostCalls> calls,
        BlockKernel kernel,
        InstantSource clock,
        LongSupplier nanos,
        LongSupplier random,
        String fingerprint,
        String software) {}
