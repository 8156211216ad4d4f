/*
 * Machine code of src/os/clone_code.ts: a loop over a list of system calls, in a child that clone() makes or, without
 * flags, right here. The first argument points to
 *   flags, address of the first step, address of the step that failed, end of the steps
 * and a step is
 *   number, six arguments, result, whether it may fail, two addresses that the result is written to.
 * The child uses no stack: it shares that of its parent.
 */
.intel_syntax noprefix
.text
        push rbx
        push rbp
        mov rbx, rdi
        mov rdi, [rbx]
        test rdi, rdi
        jz run
        xor esi, esi
        xor edx, edx
        xor r10d, r10d
        xor r8d, r8d
        mov eax, 56
        syscall
        test rax, rax
        jnz back
run:    mov rbp, [rbx + 8]
next:   cmp rbp, [rbx + 24]
        je stop
        mov rax, [rbp]
        mov rdi, [rbp + 8]
        mov rsi, [rbp + 16]
        mov rdx, [rbp + 24]
        mov r10, [rbp + 32]
        mov r8, [rbp + 40]
        mov r9, [rbp + 48]
        syscall
        mov [rbp + 56], rax
        test rax, rax
        js failed
        mov rcx, [rbp + 72]
        mov [rcx], eax
        mov rcx, [rbp + 80]
        mov [rcx], eax
        jmp on
failed: cmp qword ptr [rbp + 64], 0
        jne on
        mov [rbx + 16], rbp
stop:   cmp qword ptr [rbx], 0
        je done
        mov edi, 127
        mov eax, 231
        syscall
on:     add rbp, 88
        jmp next
done:   xor eax, eax
back:   pop rbp
        pop rbx
        ret
