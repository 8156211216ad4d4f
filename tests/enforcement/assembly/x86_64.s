/*
 * Machine code of src/os/clone_code.ts: clone() and a loop over a list of system calls. The first argument points to
 *   flags, address of the first step, address of the step that failed
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
        xor esi, esi
        xor edx, edx
        xor r10d, r10d
        xor r8d, r8d
        mov eax, 56
        syscall
        test rax, rax
        jnz parent
        mov rbp, [rbx + 8]
next:   mov rax, [rbp]
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
        mov edi, 127
        mov eax, 231
        syscall
on:     add rbp, 88
        jmp next
parent: pop rbp
        pop rbx
        ret
