@NullMarked
package io.tidemark.telemetry;

import org.jspecify.annotations.NullMarked;
