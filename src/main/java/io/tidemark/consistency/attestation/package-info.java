/** What the host that took a recovery point signs of it, so that nobody can make more of it afterwards. */
@NullMarked
package io.tidemark.consistency.attestation;

import org.jspecify.annotations.NullMarked;
