/** The nouns: values that are right once constructed. No behaviour beyond their invariants. */
@NullMarked
package io.tidemark.domain;

import org.jspecify.annotations.NullMarked;
