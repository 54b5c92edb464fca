/**
 * Disks of Google Compute Engine and their snapshots. Nothing outside {@code GceClients}, {@code GceCalls} and {@code
 * GroupCalls} asks the SDK.
 */
@NullMarked
package io.tidemark.provider.gce;

import org.jspecify.annotations.NullMarked;
