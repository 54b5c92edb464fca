/** Metrics for Prometheus and masking of secrets in logs. */
@NullMarked
package io.tidemark.telemetry;

import org.jspecify.annotations.NullMarked;
