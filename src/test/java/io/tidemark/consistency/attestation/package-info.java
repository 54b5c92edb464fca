@NullMarked
package io.tidemark.consistency.attestation;

import org.jspecify.annotations.NullMarked;
