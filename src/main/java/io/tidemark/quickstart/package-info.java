/**
 * Shows the main job for real: two sites, a running database, a recovery point, its changed blocks on the other site,
 * and the proof. Uses the sites' public interface alone, as any user could.
 */
@NullMarked
package io.tidemark.quickstart;

import org.jspecify.annotations.NullMarked;
