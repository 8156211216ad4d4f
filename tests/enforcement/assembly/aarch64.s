/*
 * Machine code of src/os/clone_code.ts: a loop over a list of system calls, in a child that clone() makes or, without
 * flags, right here. The first argument points to
 *   flags, address of the first step, address of the step that failed, end of the steps
 * and a step is
 *   number, six arguments, result, whether it may fail, two addresses that the result is written to.
 * The child uses no stack: it shares that of its parent.
 */
.text
        stp x19, x20, [sp, #-16]!
        mov x19, x0
        ldr x0, [x19]
        cbz x0, run
        mov x1, xzr
        mov x2, xzr
        mov x3, xzr
        mov x4, xzr
        mov x8, #220
        svc #0
        cbnz x0, back
run:    ldr x20, [x19, #8]
next:   ldr x8, [x19, #24]
        cmp x20, x8
        b.eq stop
        ldr x8, [x20]
        ldp x0, x1, [x20, #8]
        ldp x2, x3, [x20, #24]
        ldp x4, x5, [x20, #40]
        svc #0
        str x0, [x20, #56]
        tbnz x0, #63, failed
        ldp x1, x2, [x20, #72]
        str w0, [x1]
        str w0, [x2]
        b on
failed: ldr x1, [x20, #64]
        cbnz x1, on
        str x20, [x19, #16]
stop:   ldr x1, [x19]
        cbz x1, done
        mov x0, #127
        mov x8, #94
        svc #0
on:     add x20, x20, #88
        b next
done:   mov x0, xzr
back:   ldp x19, x20, [sp], #16
        ret
