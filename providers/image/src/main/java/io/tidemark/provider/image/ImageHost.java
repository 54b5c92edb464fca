package io.tidemark.provider.image;

import io.tidemark.nativeblock.HostCalls;
import io.tidemark.provider.commands.CommandRunner;
import java.time.InstantSource;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What the provider needs of its host.
 *
 * @param calls empty where the native library did not load: then everything is done by sparse copies
 * @param nanos monotonic nanoseconds, for the times of cuts
 */
record ImageHost(
        Optional<HostCalls> calls,
        CommandRunner commands,
        LoopDevices loops,
        InstantSource clock,
        LongSupplier nanos) {}
